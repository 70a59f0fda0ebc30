"""Messages of the topic: versions, the Confluent wire format, and reasons of rejection."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pytest

from etl.errors import ActionNeededError, TryAgainError
from etl.formats.contracts.avro import load_contract
from etl.jobs.streamed_events import find_rejection_reasons, parse_messages, parse_remaining_messages
from etl.storage.forgotten_users import ForgottenUsers
from etl.streams import messages as stream_messages
from etl.streams import schema_registry
from etl.streams.messages import MESSAGE_SCHEMA, RegistryAddress
from tests.formats.avro.test_datums import encode_value

RECEIVED_AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
_EVENT_MS = int(RECEIVED_AT.timestamp() * 1000)


def make_messages(*messages: tuple[bytes | None, str | None]) -> pa.Table:
    """Return messages of values and schema versions, received at one time."""
    rows = [
        {"partition": 3, "offset": offset, "timestamp": RECEIVED_AT, "value": value, "schema_version": version}
        for offset, (value, version) in enumerate(messages)
    ]
    return pa.Table.from_pylist(rows, MESSAGE_SCHEMA)


def make_event(**fields: object) -> bytes:
    """Return an event at the time of its message."""
    times = dict.fromkeys(("eventTime", "startTime", "endTime"), _EVENT_MS)
    return encode_value(**{**times, **fields})


def test_events_of_both_versions_stay_in_order() -> None:
    former = load_contract("user_activity_1")
    times = dict.fromkeys(("eventTime", "startTime", "endTime"), _EVENT_MS)
    messages = make_messages(
        (make_event(userId="a", country="DE"), "2"),
        (encode_value(former, userId="b", **times), "1"),
        (make_event(userId="c"), "2"),
    )
    parsed = parse_messages(messages)
    assert parsed.events["user_id"].to_pylist() == ["a", "b", "c"]
    assert parsed.events["genre"].to_pylist() == ["pop"] * 3
    assert parsed.events["received_at"].to_pylist() == [RECEIVED_AT] * 3
    assert parsed.reasons.to_pylist() == [None] * 3


def test_each_rejected_message_has_its_reason() -> None:
    messages = make_messages(
        (make_event(), "2"),
        (make_event(), None),
        (make_event(), "3"),
        (None, "2"),
        (b"\x00", "2"),
        (make_event(msPlayed=-1), "2"),
        (make_event(userId="last"), "2"),
    )
    parsed = parse_messages(messages)
    assert parsed.events["user_id"].to_pylist() == ["u", "last"]
    reasons = parsed.reasons.to_pylist()
    assert reasons[1:4] == [
        "the message has no header schema_version",
        "the schema version '3' is not known",
        "the message has no value",
    ]
    assert reasons[4].startswith("the value cannot be decoded")
    assert reasons[5] == "msPlayed is negative"
    assert find_rejection_reasons(messages).to_pylist() == reasons


def test_an_event_may_be_dated_a_day_after_its_message() -> None:
    def make_later(delay: timedelta) -> bytes:
        return make_event(
            **dict.fromkeys(("eventTime", "startTime", "endTime"), _EVENT_MS + delay // timedelta(milliseconds=1))
        )

    messages = make_messages((make_later(timedelta(hours=23)), "2"), (make_later(timedelta(hours=25)), "2"))
    assert parse_messages(messages).reasons.to_pylist() == [None, "eventTime is an impossible time"]


def test_events_from_before_their_user_was_forgotten_are_left_out(tmp_path: Path) -> None:
    lake_url = tmp_path.as_uri()
    messages = make_messages(*((make_event(userId=user), "2") for user in ("stays", "forgotten", "returns")))
    assert len(parse_remaining_messages(messages, None, lake_url).events) == 3
    forgotten_users = ForgottenUsers(lake_url)
    forgotten_users.record_users(["forgotten"], RECEIVED_AT + timedelta(hours=1))
    forgotten_users.record_users(["returns"], RECEIVED_AT - timedelta(hours=1))
    assert parse_remaining_messages(messages, None, lake_url).events["user_id"].to_pylist() == ["stays", "returns"]


def test_no_messages_are_no_events() -> None:
    assert len(parse_messages(make_messages()).events) == 0
    assert len(find_rejection_reasons(make_messages())) == 0


@pytest.mark.parametrize("field", ["genre", "userLocation", "country", "timezone", "song", "context"])
def test_a_text_that_is_no_utf_8_is_rejected_in_each_field(field: str) -> None:
    text = "PPPPPPPP"
    value = make_event(userId="a", **{field: {"platform": text} if field == "context" else text})
    messages = make_messages((value, "2"), (value.replace(b"PPPPP", b"PPP\xff\xfe"), "2"))
    for reasons in (parse_messages(messages).reasons, find_rejection_reasons(messages)):
        assert [reason and reason[:27] for reason in reasons.to_pylist()] == [None, "the value cannot be decoded"]


requested_names: list[str] = []


@pytest.fixture(scope="module")
def registry() -> Iterator[RegistryAddress]:
    """Yield a registry: schema 7 is UserActivity, 8 another record, 9 needs a sign-in, 10 lacks fields.

    11 is a schema of another format, 12 and 13 are responses without a schema.
    """
    contract = load_contract("user_activity_2")
    fields = [field for field in contract["fields"] if field["name"] not in ("genre", "deviceType")]
    bodies = {
        "7": {"schema": json.dumps(contract)},
        "8": {"schema": json.dumps(load_contract("user"))},
        "10": {"schema": json.dumps({**contract, "fields": fields})},
        "11": {"schema": 'syntax = "proto3";'},
        "12": {"error": "none"},
        "13": None,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            requested_names.append(name)
            self.send_response(200 if name in bodies else 401 if name == "9" else 404)
            self.end_headers()
            if name in bodies:
                self.wfile.write(json.dumps(bodies[name]).encode() if bodies[name] else b"<html>")

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield RegistryAddress(f"http://127.0.0.1:{server.server_port}", "")
    server.shutdown()
    server.server_close()


def _add_prefix(schema_id: int, value: bytes) -> bytes:
    return b"\x00" + schema_id.to_bytes(4, "big") + value


def test_the_confluent_wire_format_is_read_with_a_registry(registry: RegistryAddress) -> None:
    messages = make_messages(
        (_add_prefix(7, make_event(userId="a")), None),
        (make_event(userId="b"), "2"),
        (_add_prefix(8, make_event()), None),
        (_add_prefix(99, make_event()), None),
        (_add_prefix(10, make_event()), None),
        (_add_prefix(11, make_event()), None),
    )
    parsed = parse_messages(messages, registry)
    assert parsed.events["user_id"].to_pylist() == ["a", "b"]
    assert parsed.reasons.to_pylist() == [
        *(None, None),
        "the schema 8 is not one of UserActivity",
        "the schema registry has no schema 99",
        "the schema 10 lacks genre, deviceType",
        "the schema 11 is not one of UserActivity",
    ]
    assert find_rejection_reasons(messages, registry).to_pylist() == parsed.reasons.to_pylist()
    assert requested_names.count("99") == requested_names.count("10") == 1


def test_a_flood_of_unknown_schema_ids_is_looked_up_in_part(
    registry: RegistryAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_registry, "_MAX_UNKNOWN_SCHEMAS", 5)
    monkeypatch.setattr(schema_registry, "_known_schemas", {})
    monkeypatch.setattr(schema_registry, "_unknown_schemas", {})
    requested_names.clear()
    flood = [(_add_prefix(schema_id, make_event()), None) for schema_id in range(1000, 1010)]
    known = (_add_prefix(7, make_event(userId="a")), None)
    parsed = parse_messages(make_messages(known, *flood, known), registry)
    assert parsed.events["user_id"].to_pylist() == ["a", "a"]
    assert requested_names == ["7", *(str(schema_id) for schema_id in range(1000, 1005))]
    reasons = parsed.reasons.to_pylist()[1:-1]
    assert all("has no schema" in reason for reason in reasons[:5])
    assert reasons[-1] == "the schema 1009 is not looked up, because 5 others were unknown just before"
    monkeypatch.setattr(schema_registry, "_unknown_schemas", dict.fromkeys(range(5), ("", 0.0)))
    parse_messages(make_messages(flood[-1]), registry)  # once the others have expired
    assert requested_names[-1] == "1009"


def test_a_flood_of_unknown_schema_ids_does_not_hide_the_schema_of_the_producers(
    registry: RegistryAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_registry, "_MAX_UNKNOWN_SCHEMAS", 5)
    monkeypatch.setattr(schema_registry, "_known_schemas", {})
    monkeypatch.setattr(schema_registry, "_unknown_schemas", {})
    stream_messages._get_registry_decoder.cache_clear()
    requested_names.clear()
    steps: list[int] = []
    watched = replace(registry, before_request=lambda: steps.append(len(requested_names)))
    flood = [(_add_prefix(schema_id, make_event()), None) for schema_id in range(2000, 2008)]
    known = (_add_prefix(7, make_event(userId="a")), None)
    assert len(parse_messages(make_messages(*flood), watched).events) == 0
    assert steps == [*range(5), 5, 5, 5]  # before each request
    for batch in ([*flood, known, known], [*flood, known]):  # as soon as it is known, one message is enough
        parsed = parse_messages(make_messages(*batch), watched)
        assert parsed.reasons.to_pylist()[len(flood) :] == [None] * (len(batch) - len(flood))
    twice = [(_add_prefix(schema_id, make_event()), None) for schema_id in range(3000, 3030)] * 2
    parse_messages(make_messages(*twice), watched)
    assert requested_names == [*map(str, range(2000, 2005)), "7", *map(str, range(3000, 3010))]


def test_a_registry_that_does_not_respond_stops_the_work(registry: RegistryAddress) -> None:
    messages = make_messages((_add_prefix(9, make_event()), None))
    with pytest.raises(ActionNeededError, match="SCHEMA_REGISTRY_USER_INFO"):
        parse_messages(messages, registry)
    for schema_id in (12, 13):
        with pytest.raises(TryAgainError, match="responds without a schema"):
            parse_messages(make_messages((_add_prefix(schema_id, make_event()), None)), registry)
    with pytest.raises(TryAgainError, match="does not respond"):
        parse_messages(messages, RegistryAddress("http://127.0.0.1:1", ""))
