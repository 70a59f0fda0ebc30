"""Records of account exports: their events, and the reasons of rejections."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StringType, StructField, StructType, TimestampType

from etl.extract.account_export.export_fields import STORED_FIELDS
from etl.extract.account_export.export_records import encode_record
from etl.formats.contracts import REJECTED_ROW
from etl.formats.contracts.events import EVENT_ROW, EXPORT_LINE
from etl.formats.geography import get_timezones
from etl.transform.account_export import extended, parse_events
from etl.transform.account_export.device_types import classify_device, classify_device_text
from tests.exports import EPISODE_URI, TRACK_URI, Json, make_basic_play, make_nameless_play, make_old_play, make_play

EXTENDED, BASIC = "extended_export", "basic_export"
LINE = StructType(
    [*EXPORT_LINE.fields, StructField("input_id", StringType()), StructField("received_at", TimestampType())]
)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
TRACK_ID = TRACK_URI.rsplit(":", 1)[-1]


def make_lines(spark: SparkSession, records: Iterable[Any], format_name: str, file: str = "a.json") -> DataFrame:
    rows = [
        (number, "ada", "Europe/Berlin", file, encode_record(record, STORED_FIELDS[format_name]), "i1", NOW)
        for number, record in enumerate(records, 1)
    ]
    return spark.createDataFrame(rows, LINE)


@dataclass(frozen=True)
class ParsedRecords:
    """The rows of accepted and of rejected records."""

    accepted: list[Row]
    rejected: list[Row]


def parse_records(spark: SparkSession, *records: Any, format_name: str = EXTENDED) -> ParsedRecords:
    if format_name == EXTENDED:
        plays = parse_extended_records(records)
        tables = (extended.resolve_late_reports(plays.accepted), plays.rejected)
        return ParsedRecords(*([Row(**row) for row in table.to_pylist()] for table in tables))
    parsed = parse_events(make_lines(spark, records, format_name), format_name)
    return ParsedRecords(parsed.accepted.collect(), parsed.rejected.collect())


def parse_extended_records(records: Iterable[Any]) -> extended.ParsedPlays:
    lines = [
        json.dumps(
            {
                "number": number,
                "user_id": "ada",
                "timezone": "Europe/Berlin",
                "file": "a.json",
                "body": encode_record(record, STORED_FIELDS[EXTENDED]),
            }
        )
        for number, record in enumerate(records, 1)
    ]
    return extended.parse_plays(lines, "i1", NOW, get_timezones())


def collect_events(spark: SparkSession, *records: Any, format_name: str = EXTENDED) -> list[Row]:
    """Return the events of accepted records, ordered by time."""
    parsed = parse_records(spark, *records, format_name=format_name)
    assert parsed.rejected == []
    return sorted(parsed.accepted, key=lambda row: (row.ended_at, row.identity))


def collect_reasons(spark: SparkSession, *records: Any, format_name: str = EXTENDED) -> list[str | None]:
    """Return why each record is rejected; None for accepted ones."""
    parsed = parse_records(spark, *records, format_name=format_name)
    reason_by_row = {row.row_number: row.reason for row in parsed.rejected}
    assert len(parsed.accepted) + len(reason_by_row) == len(records)
    return [reason_by_row.get(number) for number in range(1, len(records) + 1)]


@pytest.fixture(autouse=True, scope="module")
def clock_in_utc(spark: SparkSession) -> None:
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"


def test_the_frames_are_what_they_are_said_to_be(spark: SparkSession) -> None:
    basic = parse_events(make_lines(spark, [make_basic_play()], BASIC), BASIC)
    kinds = [(field.name, field.dataType) for field in EVENT_ROW.fields]
    assert [(field.name, field.dataType) for field in basic.accepted.schema.fields] == kinds
    assert basic.rejected.schema.fieldNames() == REJECTED_ROW.fieldNames()


def test_the_tables_are_what_they_are_said_to_be() -> None:
    plays = parse_extended_records([make_play(), make_play(ts=None)])
    assert extended.resolve_late_reports(plays.accepted).schema.equals(to_arrow_schema(EVENT_ROW))
    assert plays.rejected.schema.equals(to_arrow_schema(REJECTED_ROW))
    assert (len(plays.accepted), len(plays.rejected)) == (1, 1)


def test_a_play_of_the_extended_history(spark: SparkSession) -> None:
    (row,) = collect_events(spark, make_play())
    known = {name: value for name, value in row.asDict().items() if value is not None}
    ended_at = row.ended_at
    assert row.ended_at - row.started_at == timedelta(minutes=3) and row.event_time == row.started_at
    assert known == {
        "input_id": "i1",
        "source": EXTENDED,
        "identity": f"1709294580 {TRACK_URI} 180000",
        "user_id": "ada",
        "event_time": ended_at - timedelta(minutes=3),
        "started_at": ended_at - timedelta(minutes=3),
        "ended_at": ended_at,
        "activity_type": "PLAY",
        "track_id": TRACK_ID,
        "track_name": "Song",
        "artist_name": "Singer",
        "ms_played": 180_000,
        "is_skipped": False,
        "device_type": "MOBILE",
        "platform": "android",
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "is_shuffle": False,
        "is_offline": False,
        "is_incognito": False,
        "country": "DE",
        "timezone": "Europe/Berlin",
    }


def test_both_field_sets_tell_of_one_event(spark: SparkSession) -> None:
    """Parse a later export of the same history, with other fields, units and spelling."""
    newer = make_play(offline=True, ts="2024-05-01T12:00:00Z", offline_timestamp=1_709_294_400)
    older = make_old_play(offline=1, ts="2024-05-01 12:00:00", offline_timestamp=1_709_294_400_321, ms_played="180000")
    first, second = collect_events(spark, newer, older)
    key = ("source", "user_id", "event_time", "identity")
    assert [first[name] for name in key] == [second[name] for name in key]


def test_an_offline_play_that_was_reported_days_later_was_played_when_the_app_says(spark: SparkSession) -> None:
    offline_fields = {"offline": True, "offline_timestamp": 1_709_294_400, "ms_played": 60_000}
    late = make_play(ts="2024-03-09T12:00:00Z", **offline_fields)
    soon = make_play(ts="2024-03-01T14:00:00Z", **offline_fields)
    online = make_play(ts="2024-03-10T12:00:00Z", **{**offline_fields, "offline": False})
    nonsense = [
        make_play(ts=f"2024-03-1{n}T12:00:00Z", **{**offline_fields, "offline_timestamp": value})
        for n, value in enumerate((0, None, -5, 1_809_294_400, "soon"), 1)
    ]
    rows = collect_events(spark, late, soon, online, *nonsense)
    by_reported = {row.identity.split()[0]: row for row in rows}
    moved = by_reported["1709985600"]
    assert moved.ended_at - moved.started_at == timedelta(minutes=1)
    assert by_reported["1709301600"].started_at - moved.started_at == timedelta(minutes=119)
    for row in rows:
        reported = datetime.fromtimestamp(int(row.identity.split()[0]), UTC)
        assert row is moved or row.ended_at.astimezone(UTC) == reported or row.ended_at == reported.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("reason_end", "skipped", "is_skipped"),
    [
        ("fwdbtn", None, True),
        ("fwdbtn", False, True),
        ("backbtn", None, True),
        ("clickrow", None, True),
        ("endplay", True, True),
        ("endplay", 1, True),
        ("endplay", False, False),
        ("endplay", None, False),
        ("logout", "false", False),
        ("trackdone", True, False),
        ("trackdone", None, False),
        (None, True, True),
        (None, 0, False),
        (None, None, None),
        ("", None, None),
    ],
)
def test_skips(spark: SparkSession, reason_end: str | None, skipped: Any, is_skipped: bool | None) -> None:
    assert (
        collect_events(spark, make_play(reason_end=reason_end, skipped=skipped, ms_played=0))[0].is_skipped
        is is_skipped
    )


def test_podcasts_and_audiobooks_are_spoken(spark: SparkSession) -> None:
    chapter = "spotify:episode:chapter000000000000001"
    rows = collect_events(
        spark,
        make_nameless_play(
            ts="2024-03-01T01:00:00Z", episode_name="One", episode_show_name="Show", spotify_episode_uri=EPISODE_URI
        ),
        make_nameless_play(
            ts="2024-03-01T02:00:00Z",
            audiobook_title="Book",
            audiobook_uri="spotify:show:book000000000000000001",
            audiobook_chapter_uri=chapter,
            audiobook_chapter_title="Chapter 1",
        ),
        make_nameless_play(ts="2024-03-01T03:00:00Z", audiobook_title="Book", audiobook_uri="spotify:show:book"),
        make_nameless_play(ts="2024-03-01T04:00:00Z", episode_name="One", episode_show_name="Show"),
        make_nameless_play(ts="2024-03-01T05:00:00Z", episode_name="One"),
        make_nameless_play(ts="2024-03-01T06:00:00Z", episode_show_name="One"),
    )
    assert [(row.spoken_id, row.spoken_name, row.show_name) for row in rows[:3]] == [
        (EPISODE_URI, "One", "Show"),
        (chapter, "Chapter 1", "Book"),
        ("spotify:show:book", "Book", "Book"),
    ]
    assert rows[3].spoken_id == "name:163491c84bf623260085"
    assert rows[4].spoken_id != rows[5].spoken_id == "name:8b12507783d5becacbf2"
    assert {(row.track_id, row.track_name, row.artist_name) for row in rows} == {(None, None, None)}
    assert len({row.identity for row in rows}) == 6


@pytest.mark.parametrize("kind", ["episode", "chapter", "show", "audiobook"])
def test_something_spoken_in_the_field_of_a_track_is_spoken(spark: SparkSession, kind: str) -> None:
    uri = f"spotify:{kind}:0123456789abcdefghijKL"
    own, bare, both = collect_events(
        spark,
        make_play(ts="2024-03-01T01:00:00Z", spotify_track_uri=uri, episode_name="One", episode_show_name="Show"),
        make_play(ts="2024-03-01T02:00:00Z", spotify_track_uri=uri),
        make_nameless_play(ts="2024-03-01T03:00:00Z", spotify_episode_uri=EPISODE_URI) | {"spotify_track_uri": uri},
    )
    assert (own.spoken_id, own.spoken_name, own.show_name, own.track_id, own.track_name) == (
        *(uri, "One", "Show"),
        *(None, None),
    )
    assert (bare.spoken_id, bare.spoken_name, bare.show_name) == (uri, "Song", "Singer")
    assert both.spoken_id == EPISODE_URI


def test_a_podcast_without_names_is_spoken(spark: SparkSession) -> None:
    (row,) = collect_events(spark, make_nameless_play(spotify_episode_uri=EPISODE_URI))
    assert (row.spoken_id, row.spoken_name, row.show_name) == (EPISODE_URI, None, None)


def test_a_track_is_music_whatever_else_is_told(spark: SparkSession) -> None:
    (row,) = collect_events(spark, make_play(episode_name="One", spotify_episode_uri=EPISODE_URI))
    assert (row.track_id, row.spoken_id, row.spoken_name) == (TRACK_ID, None, None)


def test_plays_without_a_track_are_kept_as_plays_of_the_unknown_one(spark: SparkSession) -> None:
    unknown, local = collect_events(
        spark,
        make_nameless_play(ts="2024-03-01T01:00:00Z"),
        make_play(ts="2024-03-01T02:00:00Z", spotify_track_uri="spotify:local:Singer:Record:Song:180"),
    )
    names = ("track_id", "track_name", "artist_name", "spoken_id")
    assert [unknown[name] for name in names] == [None] * 4 and unknown.identity == "1709254800 180000"
    assert [local[name] for name in names] == [None, "Song", "Singer", None]


def test_what_lacks_a_name_is_not_taken_for_what_lacks_another(spark: SparkSession) -> None:
    field_sets = [
        {"track_name": "A", "album_artist_name": "B", "album_album_name": "C"},
        {"track_name": "A", "album_artist_name": "B"},
        {"track_name": "B", "album_album_name": "A"},
        {"album_artist_name": "B", "album_album_name": "A"},
        {"track_name": "B"},
        {"album_artist_name": "B"},
    ]
    records = [
        make_nameless_play() | {f"master_metadata_{name}": value for name, value in fields.items()}
        for fields in field_sets
    ]
    actual = [row.identity.split()[1] for row in parse_records(spark, *records).accepted]
    assert len(set(actual)) == len(field_sets)
    # With all names, or only without an album, as in earlier versions.
    assert {"name:63bb0d64598a1ca00090", "name:8254cd40e67f1cbbe397"} < set(actual)


def test_values_of_several_ages(spark: SparkSession) -> None:
    first, second = collect_events(
        spark,
        make_play(
            ts="2024-03-01T01:00:00.000Z",
            ms_played="0",
            shuffle=1,
            conn_country="zz",
            platform=" ",
            incognito_mode=None,
        ),
        make_play(ts="2024-03-01T02:00:00+00:00", ms_played=5.0, shuffle="maybe", conn_country="gb", skipped="TRUE"),
    )
    assert (first.ms_played, first.is_shuffle, first.country, first.platform, first.is_incognito) == (
        0,
        True,
        None,
        None,
        None,
    )
    assert (second.ms_played, second.is_shuffle, second.country) == (5, None, "GB")
    assert first.device_type is None


def test_what_is_refused_says_why(spark: SparkSession) -> None:
    rejected_records = {
        "record is no object": ["text", None, 7, [make_play()]],
        "record holds a list or an object": [make_play(platform={"a": 1}), make_play(reason_end=[])],
        "platform is longer than 1000 characters": [make_play(platform="x" * 1001)],
        "ts is missing": [make_play(ts=None), make_play(ts=""), {"ms_played": 1}],
        "ts is no date and time": [
            make_play(ts="yesterday"),
            make_play(ts="2024-02-30T00:00:00Z"),
            make_play(ts=1709294580),
        ],
        "ts lies before Spotify's beginning": [
            make_play(ts="1970-01-01T00:00:00Z"),
            make_play(ts="0001-01-01T00:00:00Z"),
        ],
        "ts lies after the import": [make_play(ts="2026-11-03T00:00:00Z"), make_play(ts="9999-12-31T23:59:59Z")],
        "ms_played is missing": [make_play(ms_played=None)],
        "ms_played is no whole number": [
            make_play(ms_played="long"),
            make_play(ms_played=0.5),
            make_play(ms_played="9" * 5000),
        ],
        "ms_played is negative": [make_play(ms_played=-1)],
        "ms_played is more than a day": [make_play(ms_played=86_400_001), make_play(ms_played=2**53)],
        "spotify_track_uri is no track": [
            make_play(spotify_track_uri="spotify:track:x"),
            make_play(spotify_track_uri="spotify:episode:"),
            make_play(spotify_track_uri="spotify:album:0123456789abcdefghijKL"),
        ],
        "spotify_episode_uri is no Spotify URI": [make_nameless_play(spotify_episode_uri="https://example.org")],
    }
    pairs = [(reason, record) for reason, records in rejected_records.items() for record in records]
    actual = collect_reasons(spark, *(record for _, record in pairs))
    # Endless digits are an overlong text; either of the two reasons is correct.
    assert actual == [reason for reason, _ in pairs]


def test_a_refused_row_is_kept_as_received(spark: SparkSession) -> None:
    (row,) = parse_records(spark, make_play(ms_played=-1, master_metadata_track_name="So\u0000ng")).rejected
    assert (row.input_id, row.row_number) == ("i1", 1)
    assert '"ms_played":-1' in row.row and "So\\ufffdng" in row.row and "192.0.2.17" not in row.row


def test_a_nul_in_a_name_becomes_what_postgresql_takes(spark: SparkSession) -> None:
    assert collect_events(spark, make_play(master_metadata_track_name="So\u0000ng"))[0].track_name == "So\ufffdng"


def test_text_that_looks_like_an_emptied_field_is_text(spark: SparkSession) -> None:
    names = ['x":[]', "[]", "{}", 'say "a":{}']
    assert collect_reasons(spark, *(make_play(master_metadata_track_name=name) for name in names)) == [None] * len(
        names
    )


def test_a_play_of_the_basic_history(spark: SparkSession) -> None:
    (row,) = collect_events(spark, make_basic_play(), format_name=BASIC)
    known = {name for name, value in row.asDict().items() if value is not None}
    assert known == {
        *("input_id", "source", "identity", "user_id", "event_time", "started_at", "ended_at", "activity_type"),
        *("track_name", "artist_name", "ms_played", "timezone"),
    }
    assert row.ended_at - row.event_time == timedelta(minutes=3) and row.ended_at.second == 0


def test_equal_lines_of_one_basic_export_are_several_plays(spark: SparkSession) -> None:
    first = [make_basic_play(msPlayed=0), make_basic_play(msPlayed=0), make_basic_play()]
    later = [*first, make_basic_play(msPlayed=0), make_basic_play(endTime="2024-03-02 08:00")]
    before = {row.identity for row in collect_events(spark, *first, format_name=BASIC)}
    after = {row.identity for row in collect_events(spark, *later, format_name=BASIC)}
    assert len(before) == 3 and len(after) == 5 and before < after


def test_two_basic_exports_side_by_side_tell_of_the_same_plays(spark: SparkSession) -> None:
    twice = [make_basic_play(msPlayed=9_000), make_basic_play(msPlayed=9_000)]
    assert count_identities(spark, {"a/StreamingHistory0.json": twice, "b/StreamingHistory0.json": twice}) == (4, 2)


MINUTE = "2024-03-01 12:0{}"


def count_identities(spark: SparkSession, files: dict[str, list[Json]]) -> tuple[int, int]:
    """Return the number of rows in the files of one import, and the number of different plays."""
    frames = [make_lines(spark, records, BASIC, name) for name, records in files.items()]
    actual = parse_events(reduce(DataFrame.unionByName, frames), BASIC).accepted
    return actual.count(), actual.select("identity").distinct().count()


@pytest.mark.parametrize(("length", "count", "plays"), [(0, 5, 5), (30_000, 2, 2), (30_000, 3, 2), (180_000, 2, 1)])
def test_equal_lines_of_one_file_are_plays_as_far_as_they_fit_into_their_minute(
    spark: SparkSession, length: int, count: int, plays: int
) -> None:
    assert count_identities(spark, {"a": [make_basic_play(msPlayed=length)] * count}) == (count, plays)


def test_a_file_that_was_copied_tells_of_the_same_plays_and_one_that_was_cut_goes_on(spark: SparkSession) -> None:
    first = [make_basic_play(endTime=MINUTE.format(minute), msPlayed=20_000) for minute in (1, 2, 3, 3)]
    further = [make_basic_play(endTime=MINUTE.format(minute), msPlayed=20_000) for minute in (3, 4)]
    assert count_identities(spark, {"My/0.json": first, "My/0 (1).json": first}) == (8, 4)
    assert count_identities(spark, {"My/0.json": first, "My/1.json": further}) == (6, 6)
    assert count_identities(spark, {"My/0.json": first, "My/0 (1).json": first, "My/1.json": further}) == (10, 6)
    assert count_identities(spark, {"My/0.json": first, "Other/1.json": further}) == (6, 5)
    within = [make_basic_play(endTime=MINUTE.format(minute), msPlayed=20_000) for minute in (2, 3)]
    assert count_identities(spark, {"My/0.json": first, "My/part.json": within}) == (6, 4)


def test_offline_plays_that_were_reported_together_were_played_when_the_app_says(spark: SparkSession) -> None:
    offline = {"ts": "2024-03-01T18:00:00Z", "offline": True, "ms_played": 60_000}
    starts = [1_709_294_400 + 3600 * number for number in range(3)]  # 12:00, 13:00 and 14:00
    together = [make_play(offline_timestamp=start, **offline) for start in starts]
    actual = collect_events(spark, *together)
    assert [row.started_at.timestamp() for row in actual] == [row.event_time.timestamp() for row in actual] == starts
    assert {row.ended_at - row.started_at for row in actual} == {timedelta(minutes=1)}
    # A single play may have been paused. A play that the app cannot have finished by then, or online, ended at ts.
    later = make_play(offline_timestamp=1_709_294_400 + 6 * 3600, **offline)
    online = make_play(offline_timestamp=starts[1], **offline | {"offline": False})
    for others in ([together[0]], [together[0], later], [together[0], online]):
        assert {row.ended_at.timestamp() for row in collect_events(spark, *others)} == {starts[0] + 6 * 3600}


def test_basic_names(spark: SparkSession) -> None:
    podcast = {"endTime": "2024-03-01 13:00", "podcastName": "Show", "episodeName": "One", "msPlayed": 1}
    unknown = make_basic_play(artistName="Unknown Artist", trackName="Unknown Track")
    nobody, spoken = collect_events(spark, podcast, unknown, format_name=BASIC)
    assert (nobody.track_name, nobody.artist_name, nobody.spoken_id) == (None, None, None)
    assert (spoken.spoken_name, spoken.show_name, spoken.track_name) == ("One", "Show", None)
    assert spoken.spoken_id == "name:163491c84bf623260085"
    halves = [{**podcast, name: None} for name in ("podcastName", "episodeName")]
    halves[0]["episodeName"] = "Show"
    assert len({row.spoken_id for row in collect_events(spark, *halves, format_name=BASIC)}) == 2


def test_audiobooks_of_the_basic_history(spark: SparkSession) -> None:
    audiobook = {"endTime": "2024-03-01 13:00", "audiobookName": "Novel", "authorName": "A. Writer", "msPlayed": 1}
    podcast = {"endTime": "2024-03-01 12:00", "podcastName": "Novel", "episodeName": "Chapter 1", "msPlayed": 1}
    records = [podcast, audiobook | {"chapterName": "Chapter 1"}, audiobook | {"chapterName": "Chapter 2"}]
    rows = collect_events(spark, *records, format_name=BASIC)
    assert {(row.show_name, row.spoken_name) for row in rows} == {("Novel", "Chapter 1"), ("Novel", "Chapter 2")}
    assert len({row.identity for row in rows}) == 3 and {row.track_name for row in rows} == {None}


NAMELESS: list[Json] = [
    {"podcastName": None, "episodeName": None},
    {"podcastName": "", "episodeName": " "},
    {"audiobookName": None, "chapterName": None, "authorName": None},
    {"trackName": None, "artistName": None, "episodeName": None},
]


def test_a_spoken_play_without_names_is_one_of_an_unknown_show(spark: SparkSession) -> None:
    records = [{"endTime": f"2024-03-01 1{n}:00", "msPlayed": 1, **names} for n, names in enumerate(NAMELESS)]
    rows = collect_events(spark, *records, format_name=BASIC)
    assert {(row.spoken_name, row.show_name, row.track_name) for row in rows} == {(None, None, None)}
    assert len({row.spoken_id for row in rows}) == 1 and None not in {row.spoken_id for row in rows}


def test_a_file_of_podcasts_tells_what_a_record_without_fields_is(spark: SparkSession) -> None:
    record = {"endTime": "2024-03-01 13:00", "msPlayed": 1}
    for file, count in (("MyData/StreamingHistory_podcast_0.json", 1), ("podcasts/StreamingHistory_music_0.json", 0)):
        assert (
            parse_events(make_lines(spark, [record], BASIC, file), BASIC)
            .accepted.where("spoken_id IS NOT NULL")
            .count()
            == count
        )


def test_a_refused_audiobook_keeps_its_names(spark: SparkSession) -> None:
    chapter = {"audiobookName": "Novel", "chapterName": "One", "authorName": "A. Writer"}
    (row,) = parse_records(spark, {"endTime": None, "msPlayed": 1, **chapter}, format_name=BASIC).rejected
    assert json.loads(row.row) == {"endTime": None, "msPlayed": 1, **chapter}


def test_what_is_refused_of_the_basic_history(spark: SparkSession) -> None:
    records: dict[str, Json] = {
        "endTime is missing": make_basic_play(endTime=None),
        "endTime is no date and time": make_basic_play(endTime="2024-03-01"),
        "msPlayed is more than a day": make_basic_play(msPlayed=10**9),
        "trackName is missing": make_basic_play(trackName=""),
        "artistName is missing": make_basic_play(artistName=None),
    }
    assert collect_reasons(spark, *records.values(), format_name=BASIC) == list(records)


DEVICES = {
    "android": "MOBILE",
    "Android OS 12 API 32 (Google, Pixel 5)": "MOBILE",
    "ios": "MOBILE",
    "iOS 13.4 (iPhone11,8)": "MOBILE",
    "web_player android 10;chrome mobile 95.0;smartphone": "MOBILE",
    "Windows Phone 8": "MOBILE",
    "iOS 9.3.5 (iPad3,4)": "TABLET",
    "Android-tablet OS 7.0 API 24 (samsung, SM-T580)": "TABLET",
    "windows": "DESKTOP",
    "Windows 10 (10.0.19041; x64; AppX)": "DESKTOP",
    "osx": "DESKTOP",
    "OS X 10.15.7 [x86 8]": "DESKTOP",
    "Linux [x86-64 0]": "DESKTOP",
    "web_player windows 10;chrome 95.0.4638.69;desktop": "DESKTOP",
    "WebPlayer (websocket RFC6455)": "DESKTOP",
    "Partner google cast_voice Google_Home;Google_Home_Mini": "SMART_SPEAKER",
    "Partner amazon_salmon Amazon;Echo_Dot;0123": "SMART_SPEAKER",
    "Partner sonos_ppc Sonos;PLAY1": "SMART_SPEAKER",
    "sonos": "SMART_SPEAKER",
    "Partner google cast;Chromecast;;": None,
    "Partner android_tv Sony;BRAVIA 4K": None,
    "Partner webos_tv LGE;55UK6300": None,
    "Partner scei Playstation_5": None,
    "Partner garmin Fenix": None,
    "mac": "DESKTOP",
    "macos": "DESKTOP",
    "Macintosh": "DESKTOP",
    "OS X 10.11.6 [x86 8]": "DESKTOP",
    "web player": "DESKTOP",
    "web-player": "DESKTOP",
    "web_player": "DESKTOP",
    "linux": "DESKTOP",
    "Chromebook": "DESKTOP",
    "desktop": "DESKTOP",
    "win32": "DESKTOP",
    "web_player iphone os 14;mobile safari;smartphone": "MOBILE",
    "mobile": "MOBILE",
    "tablet": "TABLET",
    "iPadOS 17": "TABLET",
    "speaker": "SMART_SPEAKER",
    "Partner denon Denon_AVR": "SMART_SPEAKER",
    "Partner android_auto Car": None,
    "Partner macys Shop": None,
    "Partner spotify": None,
    "apple watch": None,
    "webos": None,
    "cast": None,
    "not_applicable": None,
    "": None,
}


def test_devices(spark: SparkSession) -> None:
    texts = spark.createDataFrame([(text,) for text in DEVICES], "platform string")
    classified = texts.select("platform", classify_device(texts.platform).alias("kind")).collect()
    assert {row.platform: row.kind for row in classified} == DEVICES
    assert {text: classify_device_text(text) for text in DEVICES} == DEVICES


_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("2024-03-01T12:00:00Z")
)
_VALUES = _SCALARS | st.lists(_SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), _SCALARS, max_size=2)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize(("format_name", "good"), [(EXTENDED, make_play()), (BASIC, make_basic_play())])
def test_every_record_is_an_event_or_refused(spark: SparkSession, data: Any, format_name: str, good: Json) -> None:
    changes = st.dictionaries(st.sampled_from(sorted(good)), _VALUES, max_size=3)
    records = [{**good, **change} for change in data.draw(st.lists(changes, min_size=20, max_size=40))]
    assert len(collect_reasons(spark, *records, format_name=format_name)) == len(records)
