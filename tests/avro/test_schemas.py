"""Schemas of Avro: how few bytes values take, and which schemas nobody comes to an end with."""

from typing import Any

import pytest

from etl.formats.avro.schemas import UnfitSchemaError, compute_min_bytes, get_branch_types, remove_logical_types


def record(*types: Any, name: str = "R") -> dict[str, Any]:
    fields = [{"name": f"f{number}", "type": one} for number, one in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields}


def nested(depth: int) -> Any:
    return {"type": "array", "items": nested(depth - 1)} if depth else "int"


def doubled(times: int) -> Any:
    """Each type has the one before it twice: a value has two to the power of ``times`` values in it."""
    inner: Any = "int"
    for number in range(times):
        inner = record(inner, f"D{number - 1}" if number else "int", name=f"D{number}")
    return inner


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *(("null", 0), ("int", 1), ("float", 4), ("double", 8), (["double", "null"], 1), (["double", "float"], 5)),
        ({"type": "fixed", "name": "F", "size": 5}, 5),
        (record("long", "double", name="a.Inner"), 9),
        (record(record("double", name="a.Inner"), "Inner", ["null", "a.Inner"]), 17),
        ({"type": "map", "values": "null"}, 1),
        ({"type": "array", "items": ["null"]}, 1),
        ({"type": {"type": "long", "logicalType": "timestamp-millis"}}, 1),
        (doubled(8), 256),
    ],
)
def test_how_few_bytes_a_value_takes(kind: Any, size: int) -> None:
    assert compute_min_bytes(kind) == size


NOTHING = {"type": "array", "items": "null"}


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        (record("int", NOTHING), "no bytes"),
        (record({"type": "map", "values": [NOTHING]}), "no bytes"),
        (record({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}), "no bytes"),
        (record({"type": "array", "items": record(name="N")}), "no bytes"),
        (record({"type": "array", "items": {"type": "error", "name": "N", "fields": []}}), "'error' is not told"),
        (record(record(["null", "Within"], name="Within")), "'Within' is not told"),
        (record("Untold"), "'Untold' is not told"),
        (record(record("int", name="a.X"), record("double", name="b.X")), "two types are called X"),
        ({**record(), "fields": [{"name": "userId", "type": "int"}] * 2}, "two fields of one name"),
        ({**record(), "fields": 5}, "no list of fields"),
        ({**record(), "fields": [{"name": "a\ud800", "type": "int"}]}, "is no name"),
        ({**record(), "name": None}, "is no name"),
        (record([]), "union"),
        (record([["int"]]), "union"),
        (record(5), "'5' is no type"),
        (record({"type": "fixed", "name": "F", "size": 1_200_000_000}), "fixed size 1200000000"),
        (record({"type": "fixed", "name": "F", "size": True}), "fixed size True"),
        (nested(100), "deeper than 64"),
        ({**record("int"), "doc": nested(100)}, "deeper than 64"),
        (doubled(14), "more than 10000 values"),
    ],
)
def test_nobody_comes_to_an_end_with(schema: Any, sentence: str) -> None:
    with pytest.raises(UnfitSchemaError, match=sentence):
        compute_min_bytes(schema)


def test_branches() -> None:
    assert get_branch_types("int") == ["int"]
    assert get_branch_types(["null", {"type": {"type": "string"}}, record()]) == ["null", "string", "record"]


def test_without_logical_types() -> None:
    moment, word = {"type": "long", "logicalType": "timestamp-millis"}, {"type": "string", "logicalType": "uuid"}
    schema = {**record(moment, ["null", word]), "doc": {"logicalType": "stays"}}
    plain = record({"type": "long"}, ["null", {"type": "string"}])
    assert remove_logical_types(schema) == {**plain, "doc": schema["doc"]}
    assert remove_logical_types(schema, types=("string",))["fields"][0]["type"] == moment
    assert remove_logical_types(schema, types=("string",))["fields"][1]["type"] == ["null", {"type": "string"}]
