"""Records of account exports: each becomes an event or a rejected row with a reason.

In: lines of one format of export. Out: rows of ``EVENT_ROW`` and of ``REJECTED_ROW``; every line is in exactly one of
the two. docs/rules.md has the rules: what the time of a play is, what a skip is, what makes two records one event.

extended   the extended streaming history, both of its field sets
basic      the account data's history, to the minute and without ids
library    its saved tracks and followed artists
playlists  its playlists, which are no events
devices    kinds of devices by the platform's text
values     times, numbers and flags out of text
"""

from collections.abc import Collection
from types import ModuleType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import REJECTED_ROW
from etl.formats.contracts.events import EVENT_ROW
from etl.formats.geography import get_timezones
from etl.transform.account_export import basic, extended, library, playlists
from etl.transform.account_export.fields import ValidationRules
from etl.transform.account_export.playlists import ParsedPlaylists
from etl.transform.validation import ValidationResult

_FORMATS: dict[str, ModuleType] = {"extended_export": extended, "basic_export": basic, "library_export": library}
EVENT_FORMATS = tuple(_FORMATS)
"""The formats of export that tell of events."""
_INPUT_COLUMNS = ("input_id", "number", "user_id", "timezone", "file", "received_at", "body")


def parse_events(lines: DataFrame, format_name: str) -> ValidationResult:
    """Split the records of one format into events and rejected rows.

    :param lines: columns of ``EXPORT_LINE``, ``input_id``, and ``received_at``, the moment of the import.
    :param format_name: one of ``EVENT_FORMATS``.
    """
    format_module = _FORMATS[format_name]
    validated_lines = _extract_fields(lines, format_module).withColumn(
        "reason", _rejection_reason(format_module.build_validation_rules())
    )
    accepted = validated_lines.where(F.col("reason").isNull()).select(
        *_build_columns(format_module.build_event_columns(), get_timezones())
    )
    accepted = format_module.resolve_related_events(accepted)
    rejected = validated_lines.where(F.col("reason").isNotNull()).select(
        "input_id", F.col("number").alias("row_number"), "reason", F.col("body").alias("row")
    )
    return ValidationResult(accepted.select(*EVENT_ROW.fieldNames()), rejected.select(*REJECTED_ROW.fieldNames()))


def parse_playlists(lines: DataFrame) -> ParsedPlaylists:
    """Split the lines of playlist_export into playlists, their tracks and rejected rows.

    :param lines: as ``parse`` takes them.
    """
    return playlists.split_playlists(
        _extract_fields(lines, playlists).withColumn("reason", _rejection_reason(playlists.build_validation_rules()))
    )


def _extract_fields(lines: DataFrame, format_module: ModuleType) -> DataFrame:
    """The lines with the fields of their record and all that values and faults refer to, each computed once."""
    fields = ", ".join(f"{name} string" for name in format_module.FIELDS)
    body = F.replace("body", F.lit("\\u0000"), F.lit("\\ufffd"))  # PostgreSQL takes no U+0000
    decoded_lines = (
        lines.select(*_INPUT_COLUMNS).withColumn("body", body).withColumn("raw", F.from_json("body", fields))
    )
    text_fields = F.struct(
        *(F.nullif(F.trim(F.col("raw")[name]), F.lit("")).alias(name) for name in format_module.FIELDS)
    )
    derived_columns = F.struct(*(column.alias(name) for name, column in format_module.build_derived_columns().items()))
    return _compute_once(_compute_once(decoded_lines, text_fields.alias("said")), derived_columns.alias("read")).select(
        *_INPUT_COLUMNS, "said", "read.*"
    )


def _compute_once(frame: DataFrame, struct: Column) -> DataFrame:
    """``frame`` with one more column, which Spark computes once however often it is referred to.

    Spark moves a filter below the columns that it asks for, and copies them into it. It cannot move one below a
    generator; this generator makes one row of each.
    """
    return frame.select("*", F.inline(F.array(F.struct(struct))))


def _rejection_reason(rules: ValidationRules) -> Column:
    """The first fault of a record, or NULL."""
    reason = F.when(~F.col("body").startswith("{"), F.lit("record is no object")).when(
        # The extract has emptied what was nested; outside of a key, a quotation mark has a backslash before it.
        F.col("body").rlike(r'[A-Za-z_]":(\{\}|\[\])'),
        F.lit("record holds a list or an object"),
    )
    for is_violated, message in rules:
        reason = reason.when(is_violated, F.lit(message))
    return reason


def _build_columns(values: dict[str, Column], timezones: Collection[str]) -> list[Column | str]:
    """The columns of ``EVENT_ROW``, and what else ``relate`` reads."""
    common = {
        "input_id": F.col("input_id"),
        "user_id": F.col("user_id"),
        "timezone": F.when(F.col("timezone").isin(*timezones), F.col("timezone")),
        "activity_type": F.lit("PLAY"),
    }
    columns_by_name = common | values
    types = {field.name: field.dataType for field in EVENT_ROW.fields}
    columns = [columns_by_name.get(name, F.lit(None)).cast(data_type).alias(name) for name, data_type in types.items()]
    helpers = [column.alias(name) for name, column in columns_by_name.items() if name not in types]
    return [*columns, *helpers, "number", "file"]
