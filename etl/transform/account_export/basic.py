"""The streaming history of the basic account data: what its few fields become."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.transform.account_export.values import (
    Faults,
    earlier,
    length_faults,
    moment,
    moment_faults,
    said,
    text_faults,
    whole,
)
from etl.transform.names import made_id

_TEXTS = ("artistName", "trackName", "podcastName", "episodeName")
FIELDS = ("endTime", *_TEXTS, "msPlayed")


def reads() -> dict[str, Column]:
    """Columns that the others refer to by name."""
    is_spoken = F.coalesce(said("podcastName"), said("episodeName")).isNotNull()
    return {
        "stopped_at": moment("endTime"),
        "length": whole("msPlayed"),
        "spoken": F.when(is_spoken, made_id(said("podcastName"), said("episodeName"))),
        "thing": made_id(*(F.coalesce(said(field), F.lit("")) for field in _TEXTS)),
    }


def faults() -> Faults:
    """What refuses a record, the first that holds."""
    is_music = F.col("spoken").isNull()
    return [
        *text_faults(_TEXTS),
        *moment_faults("endTime", F.col("stopped_at")),
        *length_faults("msPlayed", F.col("length")),
        (is_music & said("trackName").isNull(), "trackName is missing"),
        (is_music & said("artistName").isNull(), "artistName is missing"),
    ]


def columns() -> dict[str, Column]:
    """Columns of ``EVENT_ROW``; ``identity`` lacks the number of the occurrence."""
    started_at = earlier(F.col("stopped_at"), F.col("length"))
    return {
        "source": F.lit("basic_export"),
        "identity": F.concat_ws(" ", F.unix_seconds("stopped_at"), F.col("thing"), F.col("length")),
        "event_time": started_at,
        "started_at": started_at,
        "ended_at": F.col("stopped_at"),
        "track_name": F.when(F.col("spoken").isNull(), _unless_unknown("trackName", "Unknown Track")),
        "artist_name": F.when(F.col("spoken").isNull(), _unless_unknown("artistName", "Unknown Artist")),
        "spoken_id": F.col("spoken"),
        "spoken_name": said("episodeName"),
        "show_name": said("podcastName"),
        "ms_played": F.col("length"),
    }


def _unless_unknown(field: str, unknown: str) -> Column:
    return F.when(said(field) != unknown, said(field))
