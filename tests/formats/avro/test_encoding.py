"""fastavro reads every value that the encoder writes."""

from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.formats.avro.encoding import encode_default_record, encode_long
from etl.formats.avro.schemas import compute_min_bytes
from etl.formats.contracts.avro import load_contract

INNER = {
    "type": "record",
    "name": "a.Inner",
    "fields": [{"name": "n", "type": "long"}, {"name": "x", "type": "double"}],
}


def make_schema(*types: Any) -> dict[str, Any]:
    fields = [{"name": f"f{number}", "type": field_type} for number, field_type in enumerate(types)]
    return {"type": "record", "name": "R", "fields": [*fields, {"name": "userId", "type": "string"}]}


ALL = make_schema(
    *("null", "boolean", "int", "long", "float", "double", "bytes", "string"),
    {"type": "enum", "name": "E", "symbols": ["A", "B"]},
    {"type": "fixed", "name": "F", "size": 3},
    {"type": "array", "items": INNER},
    {"type": "map", "values": "null"},
    ["double", "null", "a.Inner"],
    "a.Inner",
    {"type": "long", "logicalType": "timestamp-millis"},
)


@pytest.mark.parametrize(
    "schema", [ALL, load_contract("user_activity_1"), load_contract("user_activity_2"), load_contract("user")]
)
def test_the_plainest_record_is_read_by_fastavro(schema: dict[str, Any]) -> None:
    written = BytesIO(encode_default_record(schema, "userId", "Zoë"))
    record: Any = fastavro.schemaless_reader(written, fastavro.parse_schema(schema), None)
    assert record["userId"] == "Zoë" and not written.read()
    assert compute_min_bytes(schema) <= len(encode_default_record(schema, "userId", ""))


@pytest.mark.parametrize("kind", [["null", "string"], ["string", "null"], {"type": "string"}])
def test_a_text_in_a_union_and_in_an_object(kind: Any) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "userId", "type": kind}]}
    written = BytesIO(encode_default_record(schema, "userId", "u"))
    assert fastavro.schemaless_reader(written, fastavro.parse_schema(schema), None) == {"userId": "u"}


def test_a_field_of_numbers_has_no_text() -> None:
    with pytest.raises(ValueError, match="no texts"):
        encode_default_record({**ALL, "fields": [{"name": "userId", "type": "int"}]}, "userId", "u")


@given(st.integers(0, 2**63 - 1))
def test_a_number_is_written_as_fastavro_reads_it(number: int) -> None:
    assert fastavro.schemaless_reader(BytesIO(encode_long(number)), "long", None) == number  # type: ignore[call-overload]
