"""Saved tracks and followed artists of the account data: what their fields become.

The export does not say when something was saved or followed: it is dated by the import that shows it first. What the
API or an earlier import tells already is left out by the load.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.transform.account_export.fields import (
    LOCAL_URI,
    SPOKEN_URI,
    TRACK_URI,
    ValidationRules,
    build_text_rules,
    get_text,
)
from etl.transform.names import name_derived_id

SOURCE = "library_export"
_TEXT_FIELDS = ("track", "artist", "album", "name", "uri")
FIELDS = ("kind", *_TEXT_FIELDS)
_ARTIST_URI = "^spotify:artist:([0-9A-Za-z]{22})$"


def build_derived_columns() -> dict[str, Column]:
    """Return columns that the others refer to by name."""
    return {
        "is_artist": get_text("kind") == "artist",
        "saved_track": F.nullif(F.regexp_extract(get_text("uri"), TRACK_URI, 1), F.lit("")),
        "followed_artist": F.nullif(F.regexp_extract(get_text("uri"), _ARTIST_URI, 1), F.lit("")),
    }


def build_validation_rules() -> ValidationRules:
    """Return what rejects a record, the first that holds."""
    uri, is_artist, is_track = get_text("uri"), F.col("is_artist"), ~F.col("is_artist")
    is_nameless = uri.isNull()
    return [
        *build_text_rules(_TEXT_FIELDS),
        (is_track & uri.rlike(SPOKEN_URI), "item is an episode"),
        (is_track & uri.rlike(LOCAL_URI), "item is a local file"),
        (is_track & uri.isNotNull() & F.col("saved_track").isNull(), "uri is no track"),
        (is_track & is_nameless & get_text("track").isNull(), "track is missing"),
        (is_track & is_nameless & get_text("artist").isNull(), "artist is missing"),
        (is_artist & uri.isNotNull() & F.col("followed_artist").isNull(), "uri is no artist"),
        (is_artist & is_nameless & get_text("name").isNull(), "name is missing"),
    ]


def resolve_related_events(events: DataFrame) -> DataFrame:
    """Return the events as they are: none of them depends on another one."""
    return events


def build_event_columns() -> dict[str, Column]:
    """Return columns of ``EVENT_ROW``."""
    is_artist = F.col("is_artist")
    track = F.coalesce("saved_track", name_derived_id(get_text("artist"), get_text("track")))
    artist = F.coalesce("followed_artist", name_derived_id(get_text("name")))
    return {
        "source": F.lit(SOURCE),
        "identity": F.concat_ws(" ", get_text("kind"), F.when(is_artist, artist).otherwise(track)),
        "event_time": F.col("received_at"),
        "activity_type": F.when(is_artist, "FOLLOW").otherwise("LIKE"),
        "track_id": F.when(~is_artist, F.col("saved_track")),
        "track_name": F.when(~is_artist, get_text("track")),
        "artist_id": F.when(is_artist, F.col("followed_artist")),
        "artist_name": F.when(is_artist, get_text("name")).otherwise(get_text("artist")),
    }
