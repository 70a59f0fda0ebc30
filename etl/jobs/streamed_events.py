"""The events in messages of the topic: decoded, validated and identified alike for landing and for live tables."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import to_arrow_schema

from etl.engines.datafusion import TableSession
from etl.formats.avro.datums import DecodedValues
from etl.formats.contracts.avro import LATEST_CONTRACT, load_contract
from etl.formats.contracts.events import STREAM_EVENT_ROW
from etl.formats.geography import get_timezones
from etl.storage.forgotten_users import ForgottenUsers, hash_user_id
from etl.streams.messages import RegistryAddress, decode_messages
from etl.transform.events import feed_queries
from etl.transform.events.event_ids import add_event_ids
from etl.transform.events.feed_records import validate_records

_EVENT_SCHEMA = to_arrow_schema(STREAM_EVENT_ROW)
_UNREAD_FIELDS = set(feed_queries.UNUSED_FIELDS) - {"genre"}


@dataclass(frozen=True)
class ParsedMessages:
    """The accepted events of messages, and the reason of each rejected message.

    ``events`` has the columns of ``STREAM_EVENT_ROW`` with event_id (16 bytes) in place of identity, in the order of
    the messages. ``reasons`` is as long as the messages, NULL for an accepted one.
    """

    events: pa.Table
    reasons: pa.ChunkedArray


def parse_messages(messages: pa.Table, registry: RegistryAddress | None = None) -> ParsedMessages:
    """Return the events of messages.

    :param messages: the columns of ``messages.MESSAGE_SCHEMA``.
    :param registry: where the schemas of values in the Confluent wire format are; None if there are no such values.
    :raises EtlError: if the registry does not respond.
    """
    decoded = decode_messages(messages, _list_event_fields(), registry)
    rows, reasons = validate_records(_add_message_columns(decoded, messages), _build_event_query(), _EVENT_SCHEMA)
    return ParsedMessages(add_event_ids(rows), _merge_reasons(decoded.reasons, reasons))


def parse_remaining_messages(messages: pa.Table, registry: RegistryAddress | None, lake_url: str) -> ParsedMessages:
    """Return ``parse_messages`` without the events that Kafka received before their user was forgotten."""
    parsed = parse_messages(messages, registry)
    return replace(parsed, events=drop_forgotten_events(parsed.events, ForgottenUsers(lake_url).read_times()))


def drop_forgotten_events(events: pa.Table, forgotten: Mapping[str, datetime]) -> pa.Table:
    """Return the events without those that Kafka received before their user was forgotten.

    :param events: with user_id and received_at.
    :param forgotten: when users were forgotten, by ``hash_user_id``.
    """
    if not forgotten:
        return events
    time_by_user = {user: forgotten.get(hash_user_id(user)) for user in pc.unique(events["user_id"]).to_pylist()}
    if not any(time_by_user.values()):
        return events
    pairs = zip(events["user_id"].to_pylist(), events["received_at"].to_pylist(), strict=True)
    is_remaining = [(time := time_by_user[user]) is None or received > time for user, received in pairs]
    return events.filter(pa.array(is_remaining, pa.bool_()))


def find_rejection_reasons(messages: pa.Table, registry: RegistryAddress | None = None) -> pa.ChunkedArray:
    """Return the reason of each rejected message, NULL for an accepted one; this is faster than ``parse_messages``.

    It reads the same fields, since a text that is no UTF-8 is only found in a field that is read.
    """
    decoded = decode_messages(messages, _list_event_fields(), registry)
    records = _add_message_columns(decoded, messages)
    reasons = TableSession(records=records).collect_table(feed_queries.build_reason_query())["reason"]
    return _merge_reasons(decoded.reasons, reasons)


def _add_message_columns(decoded: DecodedValues, messages: pa.Table) -> pa.Table:
    """Return the decoded rows with the partition and the time of their messages."""
    is_decoded = pc.is_null(decoded.reasons)
    decoded_messages = messages if len(decoded.rows) == len(messages) else messages.filter(is_decoded)
    return decoded.rows.append_column("partition", decoded_messages["partition"]).append_column(
        "received_at", decoded_messages["timestamp"]
    )


def _merge_reasons(decode_reasons: pa.Array, rule_reasons: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the reasons of all messages.

    :param rule_reasons: the reasons of the decoded ones.
    """
    if not decode_reasons.null_count:
        return pa.chunked_array([decode_reasons])
    if decode_reasons.null_count == len(decode_reasons):
        return rule_reasons
    is_decoded = pc.is_null(decode_reasons)
    return pa.chunked_array([pc.replace_with_mask(decode_reasons, is_decoded, rule_reasons.combine_chunks())])


@cache
def _list_event_fields() -> tuple[str, ...]:
    contract = load_contract(LATEST_CONTRACT["user_activity"])
    return tuple(field["name"] for field in contract["fields"] if field["name"] not in _UNREAD_FIELDS)


@cache
def _build_event_query() -> str:
    return feed_queries.build_stream_query(get_timezones())
