"""Values encoded by columns: fastavro decodes them to the same rows."""

from io import BytesIO
from typing import Any

import fastavro
import pyarrow as pa
import pytest

from etl.formats.avro.records import build_arrow_schema
from etl.formats.contracts.avro import load_contract
from simulator.streams.avro_values import encode_rows

REQUIRED = {
    "userId": "ü" * 70,
    "eventTime": 1_700_000_000_123,
    "activityType": "SKIP",
    "genre": "",
    "startTime": -1,
    "endTime": 0,
    "deviceType": "SMART_SPEAKER",
}
COMPLETE: dict[str, Any] = {
    **REQUIRED,
    "song": "s" * 9000,
    "duration": -2_147_483_648,
    "valence": 0.25,
    "tempo": 120.5,
    "eventId": "1",
    "msPlayed": 2_147_483_647,
    "context": {
        "platform": "ios",
        "reasonStart": None,
        "reasonEnd": "endplay",
        "isShuffle": True,
        "isOffline": False,
        "isIncognito": None,
    },
}


@pytest.mark.parametrize("version", [1, 2])
def test_fastavro_decodes_the_same_rows(version: int) -> None:
    schema = load_contract(f"user_activity_{version}")
    names = [field["name"] for field in schema["fields"]]
    records = [{name: record.get(name) for name in names} for record in (REQUIRED, COMPLETE, REQUIRED)]
    # A slice of a longer table has offsets into its columns.
    rows = pa.Table.from_pylist([*records, *records], build_arrow_schema(schema)).slice(2, 3)
    parsed = fastavro.parse_schema(schema)
    for value, expected in zip(encode_rows(rows, schema), [records[2], *records[:2]], strict=True):
        source = BytesIO(value)
        decoded: Any = fastavro.schemaless_reader(source, parsed)
        for name in ("eventTime", "startTime", "endTime"):
            decoded[name] = round(decoded[name].timestamp() * 1000)
        assert decoded == expected
        assert source.tell() == len(value)


def test_no_rows_give_no_values() -> None:
    schema = load_contract("user_activity_2")
    assert encode_rows(build_arrow_schema(schema).empty_table(), schema) == []
