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

from etl.places import known_timezones
from etl.schemas import REJECTED_ROW
from etl.schemas.events import EVENT_ROW
from etl.transform.account_export import basic, extended, library, playlists
from etl.transform.account_export.playlists import Playlists
from etl.transform.account_export.values import Faults
from etl.transform.parsed import Parsed

_FORMATS: dict[str, ModuleType] = {"extended_export": extended, "basic_export": basic, "library_export": library}
EVENT_FORMATS = tuple(_FORMATS)
"""The formats of export that tell of events."""
_KEPT = ("input_id", "number", "user_id", "timezone", "file", "received_at", "body")


def parse(lines: DataFrame, format_name: str) -> Parsed:
    """Split the records of one format into events and rejected rows.

    :param lines: columns of ``EXPORT_LINE``, ``input_id``, and ``received_at``, the moment of the import.
    :param format_name: one of ``EVENT_FORMATS``.
    """
    known = _FORMATS[format_name]
    judged = _read(lines, known).withColumn("reason", _reason(known.faults()))
    accepted = judged.where(F.col("reason").isNull()).select(*_columns(known.columns(), known_timezones()))
    accepted = known.relate(accepted)
    rejected = judged.where(F.col("reason").isNotNull()).select(
        "input_id", F.col("number").alias("row_number"), "reason", F.col("body").alias("row")
    )
    return Parsed(accepted.select(*EVENT_ROW.fieldNames()), rejected.select(*REJECTED_ROW.fieldNames()))


def parse_playlists(lines: DataFrame) -> Playlists:
    """Split the lines of playlist_export into playlists, their tracks and rejected rows.

    :param lines: as ``parse`` takes them.
    """
    return playlists.split(_read(lines, playlists).withColumn("reason", _reason(playlists.faults())))


def _read(lines: DataFrame, known: ModuleType) -> DataFrame:
    """The lines with the fields of their record and all that values and faults refer to, each computed once."""
    fields = ", ".join(f"{name} string" for name in known.FIELDS)
    body = F.replace("body", F.lit("\\u0000"), F.lit("\\ufffd"))  # PostgreSQL takes no U+0000
    told = lines.select(*_KEPT).withColumn("body", body).withColumn("raw", F.from_json("body", fields))
    texts = F.struct(*(F.nullif(F.trim(F.col("raw")[name]), F.lit("")).alias(name) for name in known.FIELDS))
    more = F.struct(*(column.alias(name) for name, column in known.reads().items()))
    return _once(_once(told, texts.alias("said")), more.alias("read")).select(*_KEPT, "said", "read.*")


def _once(frame: DataFrame, struct: Column) -> DataFrame:
    """``frame`` with one more column, which Spark computes once however often it is referred to.

    Spark moves a filter below the columns that it asks for, and copies them into it. It cannot move one below a
    generator; this generator makes one row of each.
    """
    return frame.select("*", F.inline(F.array(F.struct(struct))))


def _reason(faults: Faults) -> Column:
    """The first fault of a record, or NULL."""
    reason = F.when(~F.col("body").startswith("{"), F.lit("record is no object")).when(
        # The extract has emptied what was nested; outside of a key, a quotation mark has a backslash before it.
        F.col("body").rlike(r'[A-Za-z_]":(\{\}|\[\])'),
        F.lit("record holds a list or an object"),
    )
    for is_fault, sentence in faults:
        reason = reason.when(is_fault, F.lit(sentence))
    return reason


def _columns(values: dict[str, Column], timezones: Collection[str]) -> list[Column | str]:
    """The columns of ``EVENT_ROW``, and what else ``relate`` reads."""
    common = {
        "input_id": F.col("input_id"),
        "user_id": F.col("user_id"),
        "timezone": F.when(F.col("timezone").isin(*timezones), F.col("timezone")),
        "activity_type": F.lit("PLAY"),
    }
    given = common | values
    types = {field.name: field.dataType for field in EVENT_ROW.fields}
    columns = [given.get(name, F.lit(None)).cast(of_type).alias(name) for name, of_type in types.items()]
    helpers = [column.alias(name) for name, column in given.items() if name not in types]
    return [*columns, *helpers, "number", "file"]
