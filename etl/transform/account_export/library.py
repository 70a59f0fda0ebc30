"""Saved tracks and followed artists of the account data: which columns their fields fill.

The export does not contain the date on which a track was saved or an artist followed: the event has the date of the
first import that contains it. The load drops events that the API or an earlier import has reported already.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.transform.account_export.fields import (
    build_text_rules,
    get_text,
)
from etl.transform.names import name_derived_id
from etl.transform.uris import ARTIST_URI, LOCAL_URI, SPOKEN_URI, TRACK_URI
from etl.transform.validation import Rule

SOURCE = "library_export"
_TEXT_FIELDS = ("track", "artist", "album", "name", "uri")
FIELDS = ("kind", *_TEXT_FIELDS)


def build_derived_columns() -> dict[str, Column]:
    """Return the columns that rules and event columns refer to by name."""
    return {
        "is_artist": get_text("kind") == "artist",
        "saved_track_id": F.nullif(F.regexp_extract(get_text("uri"), TRACK_URI, 1), F.lit("")),
        "followed_artist_id": F.nullif(F.regexp_extract(get_text("uri"), ARTIST_URI, 1), F.lit("")),
    }


def build_validation_rules() -> list[Rule[Column]]:
    """Return the rules that reject a record, in the order in which they are checked."""
    uri, is_artist, is_track = get_text("uri"), F.col("is_artist"), ~F.col("is_artist")
    is_without_uri = uri.isNull()
    return [
        *build_text_rules(_TEXT_FIELDS),
        Rule(is_track & uri.rlike(SPOKEN_URI), "item is an episode"),
        Rule(is_track & uri.rlike(LOCAL_URI), "item is a local file"),
        Rule(is_track & uri.isNotNull() & F.col("saved_track_id").isNull(), "uri is no track"),
        Rule(is_track & is_without_uri & get_text("track").isNull(), "track is missing"),
        Rule(is_track & is_without_uri & get_text("artist").isNull(), "artist is missing"),
        Rule(is_artist & uri.isNotNull() & F.col("followed_artist_id").isNull(), "uri is no artist"),
        Rule(is_artist & is_without_uri & get_text("name").isNull(), "name is missing"),
    ]


def resolve_related_events(events: DataFrame) -> DataFrame:
    """Return the events as they are: they do not depend on each other."""
    return events


def build_event_columns() -> dict[str, Column]:
    """Return columns of ``EVENT_ROW``."""
    is_artist = F.col("is_artist")
    track = F.coalesce("saved_track_id", name_derived_id(get_text("artist"), get_text("track")))
    artist = F.coalesce("followed_artist_id", name_derived_id(get_text("name")))
    return {
        "source": F.lit(SOURCE),
        "identity": F.concat_ws(" ", get_text("kind"), F.when(is_artist, artist).otherwise(track)),
        "event_time": F.col("received_at"),
        "activity_type": F.when(is_artist, "FOLLOW").otherwise("LIKE"),
        "track_id": F.when(~is_artist, F.col("saved_track_id")),
        "track_name": F.when(~is_artist, get_text("track")),
        "artist_id": F.when(is_artist, F.col("followed_artist_id")),
        "artist_name": F.when(is_artist, get_text("name")).otherwise(get_text("artist")),
    }
