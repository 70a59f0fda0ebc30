"""Single Avro values decoded together: one bad value affects no other."""

import random
from io import BytesIO
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.formats.avro.datums import DecodedValues, ValueDecoder
from etl.formats.contracts.avro import load_contract

CONTRACT = load_contract("user_activity_2")
DECODER = ValueDecoder(CONTRACT, CONTRACT)


def encode_value(contract: dict[str, Any] = CONTRACT, **fields: object) -> bytes:
    """Return an encoded record; fields that are not given have small values."""
    record = {
        "userId": "u",
        "eventTime": 1_790_000_000_000,
        "activityType": "PLAY",
        "song": "Song",
        "genre": "pop",
        "startTime": 1_790_000_000_000,
        "endTime": 1_790_000_000_000,
        "deviceType": "MOBILE",
        **fields,
    }
    target = BytesIO()
    fastavro.schemaless_writer(target, fastavro.parse_schema(contract), record)
    return target.getvalue()


def _get_users(decoded: DecodedValues) -> list[str]:
    return list(decoded.rows["userId"].to_pylist())


def test_values_are_decoded_in_order() -> None:
    decoded = DECODER.decode(
        pa.array([encode_value(userId=f"u{number}", msPlayed=number) for number in range(3)], pa.binary())
    )
    assert _get_users(decoded) == ["u0", "u1", "u2"]
    assert decoded.rows["msPlayed"].to_pylist() == [0, 1, 2]
    assert decoded.reasons.to_pylist() == [None] * 3


def test_only_the_wanted_fields_are_read() -> None:
    rows = ValueDecoder(CONTRACT, CONTRACT, ("song", "userId")).decode(pa.array([encode_value()], pa.binary())).rows
    assert rows.to_pylist() == [{"userId": "u", "song": "Song"}]


def test_values_of_the_first_version_have_null_in_later_fields() -> None:
    former = load_contract("user_activity_1")
    rows = ValueDecoder(former, CONTRACT).decode(pa.array([encode_value(former)], pa.binary())).rows
    assert rows["eventId"].to_pylist() == [None]
    assert rows.schema == DECODER.decode(pa.array([], pa.binary())).rows.schema


GOOD = encode_value(userId="good")
BAD_VALUES = {
    "empty": b"",
    "cut": GOOD[:-1],
    "longer": GOOD + b"\x00",
    "two records": GOOD + GOOD,
    "random bytes": random.Random(1).randbytes(300),
    "a negative length": GOOD.replace(b"\x06pop", b"\x05pop"),
    "an unknown symbol": GOOD.replace(b"\x98h\x00\x02", b"\x98h\x7e\x02"),
    "text that is not UTF-8": encode_value(song="abcdef").replace(b"abcdef", b"\xff\xfe\xfd\xfc\xfb\xfa"),
}


@pytest.mark.parametrize("bad_value", BAD_VALUES.values(), ids=list(BAD_VALUES))
def test_a_bad_value_costs_no_other(bad_value: bytes) -> None:
    assert bad_value != GOOD
    decoded = DECODER.decode(pa.array([GOOD, bad_value, encode_value(userId="last")], pa.binary()))
    assert _get_users(decoded) == ["good", "last"]
    reasons = decoded.reasons.to_pylist()
    assert reasons[0] is None and reasons[2] is None
    assert reasons[1].startswith("the value ")


def test_two_values_that_are_only_together_two_records_are_both_rejected() -> None:
    """Their bytes in a row are three valid records, so only the fence between values shows the shift."""
    first, second = encode_value(userId="first"), encode_value(userId="second")
    decoded = DECODER.decode(pa.array([GOOD, first + second[:10], second[10:], GOOD], pa.binary()))
    assert _get_users(decoded) == ["good", "good"]
    assert [reason is None for reason in decoded.reasons.to_pylist()] == [True, False, False, True]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.just(GOOD), st.binary(max_size=60), st.sampled_from(list(BAD_VALUES.values())))))
def test_every_value_is_a_row_or_has_a_reason(values: list[bytes]) -> None:
    decoded = DECODER.decode(pa.array(values, pa.binary()))
    assert len(decoded.reasons) == len(values)
    assert len(decoded.rows) == decoded.reasons.null_count
    assert all(
        reason is None for value, reason in zip(values, decoded.reasons.to_pylist(), strict=True) if value == GOOD
    )
