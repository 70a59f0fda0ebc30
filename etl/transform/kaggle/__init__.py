"""Kaggle's rows, made-up ones included: each becomes an accepted row or a rejected one with a reason.

In: the rows of one format as text, as ``tabular.read_rows`` gives them. Out: rows of ``TRACK_ROW``, ``ARTIST_ROW`` or
``SURVEY_ROW``, whichever the format is about, and rows of ``REJECTED_ROW``. Every row is in exactly one of the two.

A row is refused where its name, its artist, its id (in formats that have ids) or its duration is missing, and where a
value is there but cannot be read or is out of its range. Any other missing value is NULL. What a source writes where
it detected nothing (tempo 0, time signature 0, key -1) is NULL, too. A reason begins with the name of the file's
column, so that reasons can be counted.

    tracks, artists, survey   which field becomes which column, format by format
    values, lists             what is read out of a field's text, and what can be wrong with it
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from etl.formats import FORMATS, Format
from etl.schemas import ARTIST_ROW, REJECTED_ROW, SURVEY_ROW, TRACK_ROW
from etl.transform.kaggle import artists, survey, tracks
from etl.transform.kaggle.values import Field, clean
from etl.transform.parsed import Parsed

_FIELDS: dict[str, Callable[[], dict[str, Field]]] = {
    "tracks_by_genre": tracks.tracks_by_genre,
    "tracks_1921_2020": tracks.tracks_1921_2020,
    "artists_1921_2020": artists.artists_1921_2020,
    "playlist_songs": tracks.playlist_songs,
    "top_2000s": tracks.top_2000s,
    "user_behavior": survey.user_behavior,
    "made_up_tracks": tracks.made_up_tracks,
    "made_up_artists": artists.made_up_artists,
}

_SCHEMAS: dict[str, StructType] = {"track": TRACK_ROW, "artist": ARTIST_ROW, "survey_response": SURVEY_ROW}


def parse(rows: DataFrame, known: Format) -> Parsed:
    """Split rows into accepted and rejected ones.

    :param rows: what ``tabular.read_rows`` gives for inputs of this format.
    """
    fields = _FIELDS[known.name]()
    judged = _read(rows, fields, known).withColumn("reason", _reason(fields))
    accepted = judged.where(F.col("reason").isNull()).select(*_columns(fields, known))
    rejected = (
        judged.where(F.col("reason").isNotNull()).withColumn("row", _as_received(known)).select(*REJECTED_ROW.names)
    )
    return Parsed(accepted, rejected)


def _read(rows: DataFrame, fields: dict[str, Field], known: Format) -> DataFrame:
    """The rows with all columns that values and faults refer to, each computed once."""
    reads = {name: expression for field in fields.values() for name, expression in field.reads.items()}
    texts = [f"{state} {name}" for name in known.columns for state in ("trimmed", "known")]
    once = F.struct(*(F.col(f"`{name}`") for name in texts), *(one.alias(name) for name, one in reads.items()))
    # Spark moves a filter below the columns that it asks for, and copies them into it, over and over. It cannot move
    # one below a generator; this generator makes one row of each.
    return clean(rows, known).select(*(F.col(f"`{name}`") for name in rows.columns), F.inline(F.array(once)))


def _columns(fields: dict[str, Field], known: Format) -> list[Column]:
    given = {"input_id": F.col("input_id"), "row_number": F.col("row_number"), "source": F.lit(known.source)}
    values = given | {name: field.value for name, field in fields.items()}
    schema = _SCHEMAS[known.kind]
    return [values.get(column.name, F.lit(None)).cast(column.dataType).alias(column.name) for column in schema.fields]


def _reason(fields: dict[str, Field]) -> Column:
    """The first fault of a row, or NULL."""
    reason = F.when(F.col("problem").isNotNull(), F.col("problem"))
    for field in fields.values():
        for is_fault, phrase in field.faults:
            reason = reason.when(is_fault, F.lit(f"{field.column} {phrase}"))
    return reason


def _as_received(known: Format) -> Column:
    """The row as JSON: an object by the header's names, or an array of its fields where they do not fit the header."""
    fields = F.concat(F.array(*(F.col(f"`{name}`") for name in known.columns)), F.col("others"))
    by_name = F.to_json(F.map_from_arrays(F.col("header"), F.coalesce(F.col("as_received"), fields)))
    return F.when(F.col("problem").isNull(), by_name).otherwise(F.to_json(F.col("others")))


assert _FIELDS.keys() == FORMATS.keys()
