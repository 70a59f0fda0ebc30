"""The aliases of a track, and the reconciliation of matched ids."""

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from etl.formats.kaggle.file_formats import SOURCE_RANK
from etl.transform.catalogue.aliases import build_reconciliation, build_track_alias

_TITLES = "titles struct<title string, version string, edition string, credit string>"
_ARTISTS = "artists struct<names array<string>, ids array<string>, keys array<string>>"
_TRACK = (
    "track_id string, recording_id string, rank int, popularity int, duration_ms int, isrc string,"
    f" {_TITLES}, {_ARTISTS}"
)
_MENTION = "track_id string, is_by_name boolean, isrc string, title string, version string, artist_keys array<string>"
_MATCH = "identity string, track_id string, method string, score double"


def make_track(track_id: str, recording_id: str = "", **values: Any) -> tuple[Any, ...]:
    """Return a row as ``add_recording_fields`` does; by default "song" by nova, 200 s long."""
    fields: dict[str, Any] = {"rank": 1, "popularity": None, "duration_ms": 200_000, "isrc": None, "keys": ["nova"]}
    fields |= {"title": "song", "version": "", "edition": "", "credit": "", **values}
    titles = tuple(fields[name] for name in ("title", "version", "edition", "credit"))
    keys = fields["keys"]
    own = tuple(fields[name] for name in ("rank", "popularity", "duration_ms", "isrc"))
    return (track_id, recording_id or track_id, *own, titles, (keys, None, keys))


def create_track_frame(spark: SparkSession, *rows: tuple[Any, ...]) -> DataFrame:
    return spark.createDataFrame(list(rows), _TRACK).coalesce(1)


FURTHER = {
    # Each is assigned to the recording of "a"; the method depends on the fields that both have in common.
    "by_name": ({}, ("name", 1.0)),
    "at_the_edge": ({"duration_ms": 202_000}, ("name", 0.95)),
    "before_it": ({"duration_ms": 199_000}, ("name", 0.975)),
    "too_long": ({"duration_ms": 202_001}, ("recording", 0.8)),
    "edition": ({"edition": "remaster", "credit": "feat lux"}, ("name", 0.88)),
    "artist_in_common": ({"keys": ["lux", "nova"]}, ("name", 1.0)),
    "other_artist": ({"keys": ["lux"]}, ("recording", 0.8)),
    "other_title": ({"title": "other"}, ("recording", 0.8)),
    "other_version": ({"version": "live"}, ("recording", 0.8)),
    "by_isrc": ({"title": "other", "isrc": "X1", "duration_ms": 205_000}, ("isrc", 1.0)),
    "isrc_too_long": ({"title": "other", "isrc": "X1", "duration_ms": 205_001}, ("recording", 0.8)),
    "isrc_first": ({"isrc": "X1", "edition": "remaster"}, ("isrc", 1.0)),
    "other_isrc": ({"isrc": "X2"}, ("name", 1.0)),
    "without_isrc": ({"title": "other"}, ("recording", 0.8)),
}


def test_further_ids_of_a_recording_say_how_they_are_known(spark: SparkSession) -> None:
    further = [make_track(name, "a", rank=2, **values) for name, (values, _) in FURTHER.items()]
    # A recording whose first id is not a track has no reconciliation.
    rows = create_track_frame(
        spark, make_track("a", isrc="X1"), *further, make_track("alone"), make_track("orphan", "gone")
    )
    nothing = spark.createDataFrame([], _MATCH)
    no_matches = spark.createDataFrame([], "track_id string, identity string, source string")
    actual = build_reconciliation(rows, nothing, no_matches).collect()
    assert {row.from_id: (row.method, pytest.approx(row.score)) for row in actual} == {
        name: expected for name, (_, expected) in FURTHER.items()
    }
    assert {(row.to_id, row.source) for row in actual} == {("a", SOURCE_RANK[1])}
    assert len(actual) == len(FURTHER)


def test_made_ids_that_are_a_track_say_who_told_them(spark: SparkSession) -> None:
    matches = spark.createDataFrame([("name:1", "a", "name", 0.9)], _MATCH)
    rows = [(None, "name:1", "y"), (None, "name:1", "x"), ("a", "name:1", "b"), (None, "name:2", "a"), ("a", "a", "s")]
    reconciled = spark.createDataFrame(rows, "track_id string, identity string, source string")
    actual = build_reconciliation(create_track_frame(spark, make_track("a")), matches, reconciled).collect()
    assert [tuple(row) for row in actual] == [("name:1", "a", "name", 0.9, "x")]


def test_each_kind_of_alias_leads_to_its_tracks(spark: SparkSession) -> None:
    rows = create_track_frame(
        spark,
        make_track("a", popularity=10),
        make_track("b", popularity=90),
        make_track("c"),
        make_track("d", popularity=90),
        make_track("name:made", popularity=1),
    )

    def mention(track_id: str, title: str, **values: Any) -> tuple[Any, ...]:
        aliases = {"is_by_name": False, "isrc": None, "keys": ["nova"], **values}
        return (track_id, aliases["is_by_name"], aliases["isrc"], title, "", aliases["keys"])

    mentions = [
        mention("a", "one", isrc="X1"),
        mention("a", "one", isrc="X1", keys=["nova", "lux"]),
        mention("b", "one", isrc="X1"),
        mention("d", "one"),
        mention("c", "one"),
        mention("c", "two"),
        mention("c", "told by name", is_by_name=True, isrc="X9"),
        mention("a", "three"),
        mention("gone", "two"),
    ]
    mention_frame = spark.createDataFrame(mentions, _MENTION)
    alone = build_track_alias(rows, mention_frame, spark.createDataFrame([], _MATCH)).collect()
    of_kind = {
        kind: sorted(tuple(row)[1:] for row in alone if row.alias_kind == kind) for kind in ("spotify_id", "isrc")
    }
    assert of_kind["spotify_id"] == [(name, name, "id", 1.0) for name in "abcd"]
    assert of_kind["isrc"] == [("X1", "a", "isrc", 1.0), ("X1", "b", "isrc", 1.0)]
    by_name = [row for row in alone if row.alias_kind == "name"]
    assert len({row.alias_value for row in by_name}) == len(by_name) == 4
    # "one" by nova: the most popular, then the smaller id; "one" by lux is only on a; "two" and "three" are unique.
    assert sorted(row.track_id for row in by_name) == ["a", "a", "b", "c"]
    assert {(row.method, row.score) for row in by_name} == {("name", 1.0)}
    first = next(row.alias_value for row in by_name if row.track_id == "b")
    # A name-derived id of a track refers to that track, however popular others are; matched ids lead to it, too.
    made = create_track_frame(
        spark, *(make_track(name, popularity=10 + place) for place, name in enumerate(["a", "b", "d", first]))
    )
    own = spark.createDataFrame([mention("b", "one"), mention(first, "one", keys=["nova"])], _MENTION)
    unpopular = made.withColumn("popularity", -made.popularity)
    aliases = build_track_alias(unpopular, own, spark.createDataFrame([], _MATCH)).collect()
    (actual,) = [row for row in aliases if row.alias_kind == "name"]
    assert (actual.alias_value, actual.track_id) == (first, first)
    match = spark.createDataFrame([(first, "d", "name", 0.7)], _MATCH)
    matched = [row for row in build_track_alias(rows, mention_frame, match).collect() if row.alias_kind == "name"]
    assert [tuple(row)[2:] for row in matched if row.alias_value == first] == [("d", "name", 0.7)]
    assert len(matched) == 4
