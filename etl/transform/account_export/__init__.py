"""Records of account exports: each becomes an event, or a rejected row with a reason.

In: lines of one format of export. Out: rows of ``EVENT_ROW`` and of ``REJECTED_ROW``; every line is in exactly one of
the two. docs/rules.md defines the time of a play, a skip, and when two records are one event.

    extended      the extended streaming history, with both of its field sets; by DataFusion, all others by Spark
    record_tables, record_queries  its records as Arrow tables of text, and the parts of its queries
    basic         the streaming history of the account data, to the minute and without ids
    library       saved tracks and followed artists of the account data
    playlists     playlists of the account data, which are no events
    service_plays plays of other services
    device_types  the kind of device, by the platform's text
    fields        timestamps, numbers and flags parsed from text, with their validation rules
    written_times times in the notations of other services' tools
"""

from collections.abc import Collection
from typing import Protocol

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts.events import EVENT_ROW
from etl.formats.geography import get_timezones
from etl.formats.service_exports import SERVICE_FORMATS
from etl.transform.account_export import basic, library, playlists
from etl.transform.account_export.playlists import ParsedPlaylists
from etl.transform.account_export.service_plays import ServicePlays
from etl.transform.json_text import replace_null_characters
from etl.transform.validation import (
    Rule,
    ValidationResult,
    compute_once,
    first_violation,
    select_schema_columns,
    split_rows,
)


class RecordFormat(Protocol):
    """The members that the module of a format defines: the fields of its records, and the rules that reject one."""

    @property
    def FIELDS(self) -> tuple[str, ...]:
        """Return the names of the fields that are read."""

    def build_derived_columns(self) -> dict[str, Column]:
        """Return the columns that rules and event columns refer to by name."""

    def build_validation_rules(self) -> list[Rule[Column]]:
        """Return the rules that reject a record, in the order in which they are checked."""


class EventFormat(RecordFormat, Protocol):
    """A format whose records are events."""

    def build_event_columns(self) -> dict[str, Column]:
        """Return columns of ``EVENT_ROW``, and those that ``resolve_related_events`` reads."""

    def resolve_related_events(self, events: DataFrame) -> DataFrame:
        """Return the events, corrected by other events of the same input."""


_FORMATS: dict[str, EventFormat] = {
    "basic_export": basic,
    "library_export": library,
    **{name: ServicePlays(name) for name in SERVICE_FORMATS},
}
EVENT_FORMATS = tuple(_FORMATS)
"""The formats of export whose records are events, without the extended history."""
_INPUT_COLUMNS = ("input_id", "number", "user_id", "timezone", "file", "received_at", "body")


def parse_events(lines: DataFrame, format_name: str, isrc_tracks: DataFrame | None = None) -> ValidationResult:
    """Split the records of one format into events and rejected rows.

    :param lines: columns of ``EXPORT_LINE``, ``input_id``, and ``received_at``, the time of the import.
    :param format_name: one of ``EVENT_FORMATS``.
    :param isrc_tracks: ``isrc`` and the ``track_id`` that it means; events without an id of Spotify take theirs.
    """
    format_module = _FORMATS[format_name]
    result = split_rows(
        _validate_lines(lines, format_module),
        _build_columns(format_module.build_event_columns(), get_timezones()),
        received_row=F.col("body"),
        row_number="number",
    )
    events = format_module.resolve_related_events(result.accepted)
    if isrc_tracks is not None:
        tracks = isrc_tracks.select("isrc", F.col("track_id").alias("isrc_track_id"))
        events = events.join(F.broadcast(tracks), on="isrc", how="left").withColumn(
            "track_id", F.coalesce("track_id", "isrc_track_id")
        )
    return ValidationResult(events.select(*EVENT_ROW.fieldNames()), result.rejected)


def parse_playlists(lines: DataFrame) -> ParsedPlaylists:
    """Split the lines of playlist_export into playlists, their tracks and rejected rows.

    :param lines: as ``parse_events`` takes them.
    """
    return playlists.split_playlists(_validate_lines(lines, playlists))


def _validate_lines(lines: DataFrame, format_module: RecordFormat) -> DataFrame:
    """Return the lines with ``payload`` (their record's fields as text), the derived columns, and ``reason``."""
    fields = ", ".join(f"{name} string" for name in format_module.FIELDS)
    decoded_lines = (
        lines.select(*_INPUT_COLUMNS)
        .withColumn("body", replace_null_characters(F.col("body")))
        .withColumn("raw", F.from_json("body", fields))
    )
    text_fields = F.struct(
        *(F.nullif(F.trim(F.col("raw")[name]), F.lit("")).alias(name) for name in format_module.FIELDS)
    )
    derived_columns = F.struct(*(column.alias(name) for name, column in format_module.build_derived_columns().items()))
    lines_with_payload = compute_once(decoded_lines, [text_fields.alias("payload")])
    derived_lines = compute_once(lines_with_payload, [derived_columns.alias("derived")])
    return derived_lines.select(*_INPUT_COLUMNS, "payload", "derived.*").withColumn(
        "reason", first_violation([*_build_record_rules(), *format_module.build_validation_rules()])
    )


def _build_record_rules() -> list[Rule[Column]]:
    return [
        Rule(~F.col("body").startswith("{"), "record is no object"),
        # The extract has emptied nested values. Within a text, a quotation mark has a backslash before it, so only the
        # end of a key matches.
        Rule(F.col("body").rlike(r'[A-Za-z_]":(\{\}|\[\])'), "record holds a list or an object"),
    ]


def _build_columns(values: dict[str, Column], timezones: Collection[str]) -> list[Column | str]:
    """Return the columns of ``EVENT_ROW``, and those that ``resolve_related_events`` reads."""
    common = {
        "input_id": F.col("input_id"),
        "user_id": F.col("user_id"),
        "timezone": F.when(F.col("timezone").isin(*timezones), F.col("timezone")),
        "activity_type": F.lit("PLAY"),
    }
    columns_by_name = common | values
    helpers = [column.alias(name) for name, column in columns_by_name.items() if name not in EVENT_ROW.names]
    return [*select_schema_columns(columns_by_name, EVENT_ROW), *helpers, "number", "file"]
