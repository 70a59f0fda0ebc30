"""The peculiarities of each format, row by row: how a row is parsed, and why one is rejected."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from etl.formats.contracts import ARTIST_ROW, REJECTED_ROW, SURVEY_ROW, TRACK_ROW
from etl.formats.kaggle.column_rules import BLANKS, REQUIRED_TEXT, ColumnRule, find_violation, get_column_rules
from etl.formats.kaggle.file_formats import FORMATS, FileFormat
from etl.transform import kaggle
from etl.transform.kaggle import fields, list_fields, parse_rows

ID = "5SuOikwiRyPMVoIQDJUgSV"
OTHER_ID = "4qPNDBW1i3p13qLCt0Ki3A"

_FEATURES = {
    **dict.fromkeys(("danceability", "energy", "speechiness", "acousticness", "instrumentalness"), "0.5"),
    **{"liveness": "1.01e-06", "valence": "1", "loudness": "1.3", "tempo": "120.5"},
    **{"key": "0", "mode": "1"},
}

GOOD: dict[str, dict[str, str]] = {
    "tracks_by_genre": {
        **{"track_id": ID, "artists": "Gen Hoshino; Earth, Wind & Fire", "album_name": "An Album"},
        **{"track_name": " 1999 ", "popularity": "0", "duration_ms": "230666", "explicit": "True"},
        **_FEATURES,
        **{"time_signature": "4", "track_genre": "k-pop"},
    },
    "tracks_1921_2020": {
        **{"id": ID, "name": "A Track", "popularity": "6", "duration_ms": "126903", "explicit": "0"},
        **{"artists": "['a', \"b's\"]", "id_artists": f"['{ID}', '{OTHER_ID}']", "release_date": "1922-02"},
        **_FEATURES,
        "time_signature": "3",
    },
    "artists_1921_2020": {
        "id": ID,
        "followers": "44.0",
        "genres": "['pop', \"r'n'b\"]",
        "name": "A",
        "popularity": "3",
    },
    "playlist_songs": {
        **{"track_id": ID, "track_name": "A Track", "track_artist": "Tyler, The Creator", "track_popularity": "66"},
        **{"track_album_id": OTHER_ID, "track_album_name": "An Album", "track_album_release_date": "2019-06-14"},
        **{"playlist_name": "Pop Remix", "playlist_id": ID, "playlist_genre": "pop", "playlist_subgenre": "dance pop"},
        **_FEATURES,
        "duration_ms": "4000",
    },
    "top_2000s": {
        **{"Title": "Sunrise", "Artist": "Norah Jones", "Top Genre": "adult standards", "Year": "2004"},
        **{"Beats Per Minute (BPM)": "157", "Energy": "30", "Danceability": "53", "Loudness (dB)": "-14"},
        **{"Liveness": "11", "Valence": "68", "Length (Duration)": "1,412", "Acousticness": "94"},
        **{"Speechiness": "3", "Popularity": "100"},
    },
    "user_behavior": {
        **dict.fromkeys(FORMATS["user_behavior"].columns, "None"),
        **{"Age": "20-35 ", "spotify_listening_device": "Smartphone, Computer or laptop"},
        **{"premium_sub_willingness": "Yes", "music_recc_rating": "3", "music_lis_frequency": "Workout session"},
    },
    "made_up_tracks": {
        **{"is_made_up": "True", "track_id": ID, "name": "A Track", "artist_ids": f"{ID};{OTHER_ID}"},
        **{"artist_names": "A;B", "album_id": ID, "album_name": "An Album", "release_date": "1980"},
        **{"duration_ms": "1", "explicit": "False", "isrc": "ZZMUP8000001", "popularity": "100"},
        **{"genres": "moss techno", "playlist_name": "P", "playlist_id": ID, "playlist_genre": "g"},
        **{"playlist_subgenre": "s"},
        **_FEATURES,
        "time_signature": "5",
    },
    "made_up_artists": {
        **{"is_made_up": "True", "artist_id": ID, "name": "A", "popularity": "3", "followers": "3000000000"},
        "genres": "a;b",
    },
}


def _create_frame(spark: SparkSession, known: FileFormat, changes: list[dict[str, str]]) -> DataFrame:
    """Return one row for each dictionary: the format's valid row with these fields changed."""
    data = [[{**GOOD[known.name], **change}[name] for name in known.columns] for change in changes]
    columns = [StructField(name, StringType()) for name in known.columns]
    numbered = spark.createDataFrame(
        [
            ("an_input", number, None, *row, ["7"], None, [*known.columns, ""])
            for number, row in enumerate(data, start=1)
        ],
        StructType(
            [
                StructField("input_id", StringType()),
                StructField("row_number", StringType()),
                StructField("problem", StringType()),
                *columns,
                StructField("others", ArrayType(StringType(), containsNull=False)),
                StructField("as_received", ArrayType(StringType(), containsNull=False)),
                StructField("header", ArrayType(StringType(), containsNull=False)),
            ]
        ),
    )
    return numbered.withColumn("row_number", F.col("row_number").cast("bigint"))


def _parse_changed_rows(spark: SparkSession, format_name: str, changes: list[dict[str, str]]) -> list[Any]:
    """Return for each changed row, in order, its accepted row as a dictionary, or the reason of its rejection."""
    known = FORMATS[format_name]
    parsed = parse_rows(_create_frame(spark, known, changes), known)
    outcomes: dict[int, Any] = {row.row_number: row.asDict() for row in parsed.accepted.collect()}
    for row in parsed.rejected.collect():
        assert row.row_number not in outcomes, "a row is accepted or rejected, never both"
        outcomes[row.row_number] = row.reason
    return [outcomes[number] for number in range(1, len(changes) + 1)]


def test_each_format_has_a_good_row_here() -> None:
    columns_by_format = {name: {*known.columns} for name, known in FORMATS.items()}
    assert {name: {*row} for name, row in GOOD.items()} == columns_by_format, "add a row of the format to GOOD"


@pytest.mark.parametrize("known", FORMATS.values(), ids=lambda known: known.name)
def test_the_frames_have_the_columns_of_the_contract(spark: SparkSession, known: FileFormat) -> None:
    parsed = parse_rows(_create_frame(spark, known, [{}]), known)
    schema = {"track": TRACK_ROW, "artist": ARTIST_ROW, "survey_response": SURVEY_ROW}[known.kind]
    assert [(f.name, f.dataType) for f in parsed.accepted.schema] == [(f.name, f.dataType) for f in schema]
    assert [(f.name, f.dataType) for f in parsed.rejected.schema] == [(f.name, f.dataType) for f in REJECTED_ROW]


def test_tracks_by_genre(spark: SparkSession) -> None:
    cases: list[tuple[dict[str, str], Any]] = [
        ({}, {"name": "1999", "artist_names": ["Gen Hoshino", "Earth, Wind & Fire"], "artist_ids": None}),
        ({}, {"popularity": 0, "explicit": True, "loudness": 1.3, "liveness": 1.01e-06, "genres": ["k-pop"]}),
        ({"tempo": "0", "time_signature": "0", "key": "-1"}, {"tempo": None, "time_signature": None, "key": None}),
        ({"tempo": "0.0", "popularity": "55.0"}, {"tempo": None, "popularity": 55}),
        ({"album_name": "", "energy": "NA", "key": "nan"}, {"album_name": None, "energy": None, "key": None}),
        ({"track_name": ""}, "track_name is missing"),
        ({"track_name": "NA", "album_name": "None"}, {"name": "NA", "album_name": "None"}),
        ({"track_name": "null", "artists": "None;NULL"}, {"name": "null", "artist_names": ["None", "NULL"]}),
        ({"artists": " ; "}, "artists names nobody"),
        ({"artists": ""}, "artists is missing"),
        ({"track_id": ID[:-1]}, "track_id is not a Spotify id"),
        ({"track_id": ""}, "track_id is missing"),
        ({"duration_ms": "0"}, "duration_ms is not above 0"),
        ({"duration_ms": "-5"}, "duration_ms is not above 0"),
        ({"duration_ms": ""}, "duration_ms is missing"),
        ({"duration_ms": "long"}, "duration_ms is not a number"),
        ({"duration_ms": "2147483648"}, "duration_ms is above 2147483647"),
        ({"popularity": "101"}, "popularity is not a whole number from 0 to 100"),
        ({"popularity": "1.5"}, "popularity is not a whole number from 0 to 100"),
        ({"energy": "1.01"}, "energy is not a number from 0 to 1"),
        ({"energy": "0,5"}, "energy is not a number from 0 to 1"),
        ({"energy": "1e9999"}, "energy is not a number from 0 to 1"),
        ({"energy": "Infinity"}, "energy is not a number from 0 to 1"),
        ({"explicit": "maybe"}, "explicit is neither true nor false"),
        ({"key": "12"}, "key is not a whole number from -1 to 11"),
        ({"track_name": "x" * 1001}, "track_name is longer than 1000 characters"),
    ]
    _assert_outcomes(spark, "tracks_by_genre", cases)


def test_tracks_1921_2020(spark: SparkSession) -> None:
    single_artist = {"id_artists": f"['{ID}']"}
    cases: list[tuple[dict[str, str], Any]] = [
        ({}, {"artist_names": ["a", "b's"], "artist_ids": [ID, OTHER_ID], "explicit": False, "genres": None}),
        ({}, {"release_date": date(1922, 2, 1), "release_date_precision": "month"}),
        ({"release_date": "1999"}, {"release_date": date(1999, 1, 1), "release_date_precision": "year"}),
        ({"release_date": "2000-02-29"}, {"release_date": date(2000, 2, 29), "release_date_precision": "day"}),
        ({"release_date": "1999-00-00"}, {"release_date": date(1999, 1, 1), "release_date_precision": "year"}),
        ({"release_date": "0000"}, {"release_date": None, "release_date_precision": None}),
        ({"release_date": ""}, {"release_date": None, "release_date_precision": None}),
        ({"release_date": "1999-02-29"}, "release_date is not a date"),
        ({"release_date": "99"}, "release_date is not a date"),
        ({"release_date": "soon"}, "release_date is not a date"),
        ({"artists": "A"}, "artists is not a list"),
        ({"artists": "[]"}, "artists names nobody"),
        ({"artists": "['']", **single_artist}, "artists holds an empty name"),
        ({"artists": "['a', None]"}, "artists is not a list"),
        ({"artists": "['a', 'b', 'c']"}, "id_artists has not one id for each name"),
        ({"id_artists": "['1', '2']"}, "id_artists holds something that is not a Spotify id"),
    ]
    _assert_outcomes(spark, "tracks_1921_2020", cases)


# A Spark job takes a second: use a few examples of many rows each, without shrinking.
_MANY_ROWS_AT_ONCE = settings(
    max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)

_NAMES = st.lists(
    st.text(st.characters(exclude_categories=("Cs", "Cn", "Co"), exclude_characters=BLANKS), min_size=1, max_size=8)
    | st.sampled_from(
        ["b's", 'a "b"', 'it\'s "x"', "back\\slash", "\\'", 'a\\"', "a\xa0b", "ends\\", "[x], 'y'", "\u200b", "a\0b"]
    ),
    min_size=1,
    max_size=4,
)


@_MANY_ROWS_AT_ONCE
@given(lists=st.lists(_NAMES, min_size=60, max_size=80))
def test_any_python_list_is_read_as_python_reads_it(spark: SparkSession, lists: list[list[str]]) -> None:
    # A character beyond the basic plane without a printable form becomes an escape that JSON lacks: leave it out.
    lists = [names for names in lists if "\\U" not in repr(names)]
    changes = [{"artists": repr(names), "id_artists": repr([ID] * len(names))} for names in lists]
    outcomes = _parse_changed_rows(spark, "tracks_1921_2020", changes)
    # Except the characters that PostgreSQL does not accept.
    expected = [[name.strip(BLANKS).replace("\0", "\ufffd") for name in names] for names in lists]
    assert [outcome["artist_names"] for outcome in outcomes] == expected


def test_playlist_songs(spark: SparkSession) -> None:
    cases: list[tuple[dict[str, str], Any]] = [
        ({}, {"artist_names": ["Tyler, The Creator"], "genres": ["pop"], "playlist_subgenre": "dance pop"}),
        ({}, {"album_id": OTHER_ID, "release_date": date(2019, 6, 14), "duration_ms": 4000, "explicit": None}),
        ({"track_name": "NA", "track_artist": "NA", "track_album_name": "NA"}, "track_name is missing"),
        ({"track_artist": "NA"}, "track_artist is missing"),
        (
            {"track_name": "None", "track_artist": "nan", "playlist_name": "null"},
            {"name": "None", "playlist_name": "null"},
        ),
    ]
    _assert_outcomes(spark, "playlist_songs", cases)


def test_top_2000s(spark: SparkSession) -> None:
    cases: list[tuple[dict[str, str], Any]] = [
        ({}, {"track_id": None, "duration_ms": 1_412_000, "energy": 0.3, "tempo": 157.0, "loudness": -14.0}),
        ({}, {"release_date": date(2004, 1, 1), "release_date_precision": "year", "popularity": 100}),
        ({"Title": "22", "Length (Duration)": "93"}, {"name": "22", "duration_ms": 93_000}),
        ({"Artist": ""}, "Artist is missing"),
        ({"Energy": "101"}, "Energy is not a number from 0 to 100"),
        ({"Length (Duration)": "1,41"}, "Length (Duration) is not a number"),
    ]
    _assert_outcomes(spark, "top_2000s", cases)


def test_names_of_columns_may_have_dots(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """R writes Track.Name for Track Name, and Length. for Length."""
    good = {"Track.Name": "Sunrise", "Artist.Name": "Norah Jones", "Length.": "191", "Release.Date": "2004"}
    required = {"Track.Name": REQUIRED_TEXT, "Artist.Name": ColumnRule("names", is_required=True)}
    rules = required | {"Length.": ColumnRule("duration", is_required=True), "Release.Date": ColumnRule("date")}
    known = FileFormat("from_r", "Tracks from R", "track", (*good,), "from_r", rules=rules, has_common_columns=False)
    mapping = {
        "name": fields.required_text("Track.Name"),
        "artist_names": list_fields.artist_names("Artist.Name", list_fields.split_text("Artist.Name")),
        "duration_ms": fields.duration_ms("Length."),
        "release_date": fields.release_date("Release.Date")[0],
    }
    monkeypatch.setitem(FORMATS, known.name, known)
    monkeypatch.setitem(GOOD, known.name, good)
    monkeypatch.setitem(kaggle._FIELD_MAPPINGS, known.name, lambda: mapping)
    cases: list[tuple[dict[str, str], Any]] = [
        ({}, {"name": "Sunrise", "duration_ms": 191, "release_date": date(2004, 1, 1)}),
        ({"Track.Name": ""}, "Track.Name is missing"),
        ({"Length.": "long"}, "Length. is not a number"),
    ]
    _assert_outcomes(spark, known.name, cases)


def test_artists(spark: SparkSession) -> None:
    cases: list[tuple[dict[str, str], Any]] = [
        ({}, {"artist_id": ID, "followers": 44, "genres": ["pop", "r'n'b"], "popularity": 3}),
        ({"followers": "", "genres": "[]"}, {"followers": None, "genres": None}),
        ({"genres": "pop"}, "genres is not a list"),
        ({"name": ""}, "name is missing"),
        *(({"name": word}, {"name": word}) for word in ("None", "NULL", "nan", "NA", "N/A", "null", "NaN")),
        ({"followers": "-1"}, "followers is not a whole number from 0 to 9007199254740992"),
    ]
    _assert_outcomes(spark, "artists_1921_2020", cases)


def test_survey(spark: SparkSession) -> None:
    cases: list[tuple[dict[str, str], Any]] = [
        ({}, {"age_band": "20-35", "gender": "None", "preferred_premium_plan": "None"}),
        ({}, {"listening_devices": ["Smartphone", "Computer or laptop"], "listening_contexts": ["Workout session"]}),
        ({}, {"premium_willingness": True, "recommendation_rating": 3}),
        ({"Gender": " "}, {"gender": None}),
        ({"music_recc_rating": "6"}, "music_recc_rating is not a whole number from 1 to 5"),
        ({"premium_sub_willingness": "Perhaps"}, "premium_sub_willingness is neither yes nor no"),
        (dict.fromkeys(FORMATS["user_behavior"].columns, ""), "row has no answers"),
    ]
    _assert_outcomes(spark, "user_behavior", cases)
    first, again, second = _parse_changed_rows(spark, "user_behavior", [{}, {"Age": "20-35"}, {"Age": "60+"}])
    assert first["response_id"] == again["response_id"] != second["response_id"]


def test_a_rejected_row_is_kept_as_received(spark: SparkSession) -> None:
    known = FORMATS["artists_1921_2020"]
    rejected = parse_rows(_create_frame(spark, known, [{"name": " ", "genres": "['\"']"}]), known).rejected.collect()
    assert json.loads(rejected[0].row) == {**GOOD[known.name], "name": " ", "genres": "['\"']", "": "7"}


@_MANY_ROWS_AT_ONCE
@given(data=st.data(), format_name=st.sampled_from(sorted(FORMATS)))
def test_no_text_makes_it_fail_or_lose_a_row(spark: SparkSession, data: st.DataObject, format_name: str) -> None:
    known = FORMATS[format_name]
    odd = st.text(st.characters(exclude_categories=("Cs",)), max_size=8) | st.sampled_from(
        ["[", "['", "[']", "['\\']", "1e400", "-0", "+.5", "١٢", "9" * 400, "1d", "0000-13-99", "9999-99-99", ID, "NaN"]
    )
    rows = st.dictionaries(st.sampled_from(known.columns), odd, max_size=5)
    changes = data.draw(st.lists(rows, min_size=60, max_size=80))
    outcomes = _parse_changed_rows(spark, format_name, changes)
    assert len(outcomes) == len(changes)
    # The validation at import does not compare the numbers of ids and names of the synthetic catalogue.
    has_ids_of_names = "artist_ids" in known.columns
    if not has_ids_of_names and not any(rule.kind in ("literal", "ids") for rule in get_column_rules(known).values()):
        for change, outcome in zip(changes, outcomes, strict=True):
            row = {name: text.replace("\0", "\ufffd") for name, text in (GOOD[format_name] | change).items()}
            assert (find_violation(known, row) is not None) == isinstance(outcome, str), change


def _assert_outcomes(spark: SparkSession, format_name: str, cases: list[tuple[dict[str, str], Any]]) -> None:
    outcomes = _parse_changed_rows(spark, format_name, [change for change, _ in cases])
    for (change, expected), outcome in zip(cases, outcomes, strict=True):
        # The validation at import gives the same reason for each row.
        foreseen = find_violation(FORMATS[format_name], GOOD[format_name] | change)
        assert (" ".join(foreseen) if foreseen else None) == (outcome if isinstance(outcome, str) else None), change
        if isinstance(expected, str) or isinstance(outcome, str):
            assert outcome == expected, change
        else:
            assert {name: outcome[name] for name in expected} == expected, change
