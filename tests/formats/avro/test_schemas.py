"""Avro schemas: the least number of bytes of their values, and schemas with infinite recursion."""

from typing import Any

import pytest

from etl.formats.avro.schemas import UnfitSchemaError, compute_min_bytes, get_branch_types, remove_logical_types


def make_record_schema(*types: Any, name: str = "R") -> dict[str, Any]:
    fields = [{"name": f"f{number}", "type": field_type} for number, field_type in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields}


def make_nested_schema(depth: int) -> Any:
    return {"type": "array", "items": make_nested_schema(depth - 1)} if depth else "int"


def make_doubled_schema(times: int) -> Any:
    """Return a schema whose types each contain the previous one twice: a value has 2 ** ``times`` values in it."""
    inner: Any = "int"
    for number in range(times):
        inner = make_record_schema(inner, f"D{number - 1}" if number else "int", name=f"D{number}")
    return inner


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *(("null", 0), ("int", 1), ("float", 4), ("double", 8), (["double", "null"], 1), (["double", "float"], 5)),
        ({"type": "fixed", "name": "F", "size": 5}, 5),
        (make_record_schema("long", "double", name="a.Inner"), 9),
        (make_record_schema(make_record_schema("double", name="a.Inner"), "Inner", ["null", "a.Inner"]), 17),
        ({"type": "map", "values": "null"}, 1),
        ({"type": "array", "items": ["null"]}, 1),
        ({"type": {"type": "long", "logicalType": "timestamp-millis"}}, 1),
        (make_doubled_schema(8), 256),
    ],
)
def test_how_few_bytes_a_value_takes(kind: Any, size: int) -> None:
    assert compute_min_bytes(kind) == size


NOTHING = {"type": "array", "items": "null"}


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (make_record_schema("int", NOTHING), "no bytes"),
        (make_record_schema({"type": "map", "values": [NOTHING]}), "no bytes"),
        (make_record_schema({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}), "no bytes"),
        (make_record_schema({"type": "array", "items": make_record_schema(name="N")}), "no bytes"),
        (
            make_record_schema({"type": "array", "items": {"type": "error", "name": "N", "fields": []}}),
            "'error' is not told",
        ),
        (make_record_schema(make_record_schema(["null", "Within"], name="Within")), "'Within' is not told"),
        (make_record_schema("Untold"), "'Untold' is not told"),
        (
            make_record_schema(make_record_schema("int", name="a.X"), make_record_schema("double", name="b.X")),
            "two types are called X",
        ),
        ({**make_record_schema(), "fields": [{"name": "userId", "type": "int"}] * 2}, "two fields of one name"),
        ({**make_record_schema(), "fields": 5}, "no list of fields"),
        ({**make_record_schema(), "fields": [{"name": "a\ud800", "type": "int"}]}, "is no name"),
        ({**make_record_schema(), "name": None}, "is no name"),
        (make_record_schema([]), "union"),
        (make_record_schema([["int"]]), "union"),
        (make_record_schema(5), "'5' is no type"),
        (make_record_schema({"type": "fixed", "name": "F", "size": 1_200_000_000}), "fixed size 1200000000"),
        (make_record_schema({"type": "fixed", "name": "F", "size": True}), "fixed size True"),
        (make_nested_schema(100), "deeper than 64"),
        ({**make_record_schema("int"), "doc": make_nested_schema(100)}, "deeper than 64"),
        (make_doubled_schema(14), "more than 10000 values"),
    ],
)
def test_nobody_comes_to_an_end_with(schema: Any, sentence: str) -> None:
    with pytest.raises(UnfitSchemaError, match=sentence):
        compute_min_bytes(schema)


def test_branches() -> None:
    assert get_branch_types("int") == ["int"]
    assert get_branch_types(["null", {"type": {"type": "string"}}, make_record_schema()]) == [
        "null",
        "string",
        "record",
    ]


def test_without_logical_types() -> None:
    timestamp_type, string_type = (
        {"type": "long", "logicalType": "timestamp-millis"},
        {"type": "string", "logicalType": "uuid"},
    )
    schema = {**make_record_schema(timestamp_type, ["null", string_type]), "doc": {"logicalType": "stays"}}
    plain = make_record_schema({"type": "long"}, ["null", {"type": "string"}])
    assert remove_logical_types(schema) == {**plain, "doc": schema["doc"]}
    assert remove_logical_types(schema, types=("string",))["fields"][0]["type"] == timestamp_type
    assert remove_logical_types(schema, types=("string",))["fields"][1]["type"] == ["null", {"type": "string"}]
