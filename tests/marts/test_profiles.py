"""The sound profiles of playlists and plays equal an independent computation, and follow every change."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from etl.database import connect
from etl.formats.contracts import AUDIO_FEATURES
from etl.load.marts import has_changes
from launch import postgres
from tests.conftest import copy_database
from tests.load.star_frames import select_rows
from tests.marts.listening import DEFINITION, fetch_mart_rows, fill_dimensions, insert_events, make_events, rebuild
from tests.marts.sounds import DEVIATIONS, MEANS, PLAYLISTS, add_track, fit_clusters, set_features

FEATURES = list(AUDIO_FEATURES)
NOTHING = ", ".join(f"{name} = null" for name in FEATURES)


@pytest.fixture(scope="module")
def built_url(embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    """Yield a warehouse with built marts; one track has no tempo, another has features only for its second id."""
    with copy_database(embedded_server, migrated_template) as url:
        with connect(url) as connection:
            fill_dimensions(connection)
            insert_events(connection, make_events(5, users=4, days=20, size=400))
            connection.execute(
                text("update warehouse.dim_track set tempo = null, audio_features_type = null where track_key = 7")
            )
            nothing = ", ".join(f"{name} = null" for name in FEATURES)
            connection.execute(text(f"update warehouse.dim_track set {nothing} where track_key = 11"))
        assert rebuild(url)
        yield url


@pytest.fixture
def url(embedded_server: postgres.Server, built_url: str) -> Iterator[str]:
    with copy_database(embedded_server, built_url.rsplit("/", 1)[-1]) as url:
        yield url


def _fetch_recordings(url: str) -> pd.DataFrame:
    """Return a row per recording, by its key: audio features of the first id with any, newness of the first id."""
    tracks = pd.DataFrame(select_rows(url, "select * from warehouse.dim_track where track_key > 0 order by track_key"))
    columns = [*FEATURES, "newness_score"]
    tracks[columns] = tracks[columns].astype(float)
    tracks["is_featured"] = tracks[FEATURES].notna().any(axis=1)
    first = tracks.groupby("recording_key").head(1).set_index("recording_key")
    featured = tracks[tracks["is_featured"]].groupby("recording_key").head(1).set_index("recording_key")
    first_features = featured[[*FEATURES, "audio_features_type"]].reindex(first.index)
    return first_features.join(first[["newness_score"]])


def _fetch_plays(url: str) -> pd.DataFrame:
    return pd.DataFrame(select_rows(url, "select user_id, recording_key from mart.play where recording_key > 0"))


def _list_members(playlists: dict[int, tuple[str, str | None, tuple[int, ...]]] = PLAYLISTS) -> pd.DataFrame:
    """Return a row per playlist and recording: 12 is the second id of 11."""
    pairs = {(number, min(track, 11) if track < 13 else track) for number, p in playlists.items() for track in p[2]}
    members = pd.DataFrame(sorted(pairs), columns=["playlist_key", "recording_key"])
    members["owner"] = members["playlist_key"].map({number: p[1] for number, p in playlists.items()})
    return members


def _assert_equal_rows(rows: list[dict[str, object]], entries: pd.DataFrame, name: str) -> None:
    """Compare the rows of a ..._attribute view with the values of entries."""
    by_attribute = {str(row["attribute"]): row for row in rows}
    assert set(by_attribute) == {feature for feature in FEATURES if entries[feature].notna().any()}
    for index, feature in enumerate(FEATURES):
        if feature not in by_attribute:
            continue
        row, values = by_attribute[feature], entries[feature].dropna().to_numpy()
        low, high = {"loudness": (-60, 0), "tempo": (40, 240)}.get(feature, (0, 1))
        assert row[name] == len(values)
        assert row["mean"] == pytest.approx(values.mean(), abs=1e-9)
        assert row["deviation"] == pytest.approx(values.std(), abs=1e-9)
        assert row["distance"] == pytest.approx((values.mean() - MEANS[index]) / DEVIATIONS[index], abs=1e-9)
        bins = np.clip(np.floor(np.round((values - low) / (high - low) * 20, 9)).astype(int), 0, 19)
        assert row[f"{name}_by_bin"] == np.bincount(bins, minlength=20).tolist()
        quartiles = np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf")
        reported_quartiles = [row["lower_quartile"], row["median"], row["upper_quartile"]]
        assert np.abs(quartiles - np.array(reported_quartiles, dtype=float)).max() <= (high - low) / 20 + 1e-9


@pytest.mark.parametrize("playlist", PLAYLISTS)
def test_a_playlist_sounds_like_its_recordings(built_url: str, playlist: int) -> None:
    members = _list_members()
    entries = _fetch_recordings(built_url).loc[members[members["playlist_key"] == playlist]["recording_key"]]
    rows = select_rows(
        built_url, "select * from mart.playlist_profile_attribute where playlist_key = :key", key=playlist
    )
    _assert_equal_rows(rows, entries, "tracks")
    profile = select_rows(built_url, "select * from mart.playlist_profile where playlist_key = :key", key=playlist)[0]
    assert profile["tracks"] == len(entries)
    assert profile["tracks_with_audio_features"] == entries[FEATURES].notna().any(axis=1).sum()
    mean_newness = entries["newness_score"].mean()
    assert profile["mean_newness"] == (None if np.isnan(mean_newness) else pytest.approx(mean_newness, abs=1e-9))
    shares = select_rows(
        built_url,
        "select audio_features_type, share from mart.playlist_profile_cluster where playlist_key = :key",
        key=playlist,
    )
    expected = entries["audio_features_type"].value_counts(normalize=True)
    assert {row["audio_features_type"]: row["share"] for row in shares} == pytest.approx(expected.to_dict())


@pytest.mark.parametrize("user", ["u1", "u2", "u3"])
def test_a_taste_is_that_of_all_plays_or_of_all_playlists(built_url: str, user: str) -> None:
    recordings, plays, members = _fetch_recordings(built_url), _fetch_plays(built_url), _list_members()
    statement = "select * from mart.taste_profile_attribute where user_id = :user and scope = :scope"
    played = recordings.loc[plays[plays["user_id"] == user]["recording_key"]]
    _assert_equal_rows(select_rows(built_url, statement, user=user, scope="plays"), played, "entries")
    member_recordings = recordings.loc[members[members["owner"] == user]["recording_key"]]
    _assert_equal_rows(select_rows(built_url, statement, user=user, scope="playlists"), member_recordings, "entries")
    profile = select_rows(
        built_url, "select * from mart.taste_profile where user_id = :user and scope = 'plays'", user=user
    )[0]
    assert profile["entries"] == len(played)
    assert profile["mean_newness"] == pytest.approx(played["newness_score"].mean(), abs=1e-9)


def test_playlists_that_call_their_owner_by_another_id_are_those_of_the_login_or_of_the_profile(url: str) -> None:
    taste = "select * from mart.taste_profile where user_id = 'u1' and scope = 'playlists'"
    before = select_rows(url, taste)
    assert before[0]["entries"] > 0
    _execute_statements(url, "update warehouse.dim_playlist set owner_id = 'spotify-u1' where owner_id = 'u1'")
    assert select_rows(url, taste) == []
    _execute_statements(url, "insert into audit.login values ('one', 'listener', 'u1', 'spotify-u1', null)")
    assert select_rows(url, taste) == before
    _execute_statements(url, "delete from audit.login")
    _execute_statements(url, "insert into audit.account_owner values ('u1', 'spotify-u1')")
    assert select_rows(url, taste) == before
    _execute_statements(url, "insert into warehouse.exclusion (kind, id) values ('user', 'u1')")
    assert select_rows(url, taste) == []


@pytest.mark.parametrize("user", ["u1", "u2", "u3", "u4"])
def test_discoveries_are_the_nearest_to_each_of_the_clusters_that_are_played_most(built_url: str, user: str) -> None:
    recordings, plays = _fetch_recordings(built_url), _fetch_plays(built_url)
    counts = plays[plays["user_id"] == user]["recording_key"].value_counts()
    standardised = (recordings[FEATURES] - MEANS) / np.array(DEVIATIONS)
    played = recordings.loc[counts.index].assign(plays=counts)
    by_cluster = played.groupby("audio_features_type")["plays"].sum().sort_values(ascending=False, kind="stable")
    expected = []
    for cluster, weight in by_cluster.items():
        inside = played[played["audio_features_type"] == cluster]
        taste = (standardised.loc[inside.index] * inside["plays"].to_numpy()[:, None]).sum() / weight
        candidates = recordings[(recordings["audio_features_type"] == cluster) & ~recordings.index.isin(counts.index)]
        distances = np.sqrt(((standardised.loc[candidates.index] - taste) ** 2).sum(axis=1)).sort_values()
        expected += list(distances.head(int(np.ceil(50 * weight / by_cluster.sum()))).items())
    expected = sorted(expected, key=lambda pair: pair[1])[:50]
    rows = select_rows(built_url, "select * from mart.discovery where user_id = :user order by rank", user=user)
    assert [row["recording_key"] for row in rows] == [recording for recording, _ in expected]
    assert [row["distance"] for row in rows] == pytest.approx([distance for _, distance in expected])
    assert len(rows) > 10
    assert all(str(row["audio_cluster_name"]) in str(row["reason"]) for row in rows)


def test_words_say_what_the_figures_say(built_url: str) -> None:
    rows = select_rows(built_url, "select playlist, description from mart.playlist_profile order by playlist_key")
    descriptions = {str(row["playlist"]): str(row["description"]) for row in rows}
    assert descriptions["Empty"] == "There is no track to describe."
    assert descriptions["Local files"] == "Not known: none of the 2 tracks has audio features."
    assert descriptions["One"].startswith("By one track only: ")
    assert descriptions["Calm"].startswith("By 3 tracks only: ")
    assert " BPM)" in descriptions["Everything"]


WORDS = {
    "all sides": ([1.2, 0.5, 0.1, 0.0, -0.6, 0.0, -0.4, 0.35, 0.3], 128.4, 0.4, (
        "Mostly very danceable, energetic and cheerful, rarely acoustic or live; fast (mean 128 BPM);"
        " newer than the catalogue's average."
    )),
    "nothing stands out": ([0.0] * 9, 120.0, 0.0, "Near the middle of the catalogue; of medium tempo (mean 120 BPM)."),
    "only what it is not": ([-1.5, *[0.0] * 7, -0.3], 90.0, -2.0, (
        "Rarely danceable; slow (mean 90 BPM); older than the catalogue's average."
    )),
    "low words": ([0.0, -1.0, -2.0, 0, 0, 0, 0, -0.3, 0], 100.0, None, (
        "Mostly very quiet, very calm and sombre; of medium tempo (mean 100 BPM)."
    )),
    "no tempo known": ([0.0, 0.5, *[0.0] * 6, None], None, None, "Mostly energetic."),
    "no fit": ([None] * 9, 120.0, None, "Not known yet: the audio clusters have not been fitted."),
}  # fmt: skip


@pytest.mark.parametrize(("distances", "tempo", "newness", "expected"), WORDS.values(), ids=WORDS.keys())
def test_the_rule_of_the_words(
    built_url: str, distances: list[float | None], tempo: float | None, newness: float | None, expected: str
) -> None:
    statement = (
        "select mart.sound_in_words('play', 9, 9, cast(:distances as double precision []),"
        " cast(:tempo as double precision), cast(:newness as double precision)) as it"
    )
    rows = select_rows(built_url, statement, distances=distances, tempo=tempo, newness=newness)
    assert rows == [{"it": expected}]


def test_words_say_how_many_have_no_audio_features(built_url: str) -> None:
    statement = "select mart.sound_in_words('track', 9, cast(:n as bigint), '{0,0,0,0,0,0,0,0,0}', 120, 0) as it"
    assert select_rows(built_url, statement, n=7)[0]["it"].endswith(" Of 9 tracks 2 have no audio features.")
    assert select_rows(built_url, statement, n=3)[0]["it"].startswith("By 3 tracks only: near the middle")


CORRECTIONS = {
    "another sound": "update warehouse.dim_track set energy = 0.11, valence = 0.9 where track_key in (1, 4, 20)",
    "features that are gone": (
        f"update warehouse.dim_track set {NOTHING}, audio_features_type = null where track_key = 2"
    ),
    "another newness": "update warehouse.dim_track set newness_score = 0.5 where track_key in (1, 2, 30)",
    "another cluster": "update warehouse.dim_track set audio_features_type = 2 where track_key in (3, 4, 5, 20)",
    "one recording": "update warehouse.dim_track set recording_key = 2 where track_key in (5, 31)",
    "ids that part": "update warehouse.dim_track set recording_key = 12 where track_key = 12",
    "a shorter playlist": "delete from warehouse.fact_playlist_track where playlist_key = 3 and track_key < 5",
    "a track that left": "update warehouse.fact_playlist_track set valid_to = now() where track_key = 1",
    "another owner": "update warehouse.dim_playlist set owner_id = 'u2' where playlist_key = 4",
    "a playlist that is gone": (
        "delete from warehouse.fact_playlist_track where playlist_key = 2;"
        "delete from warehouse.dim_playlist where playlist_key = 2"
    ),
    "an artist left out": "insert into warehouse.exclusion (kind, id) values ('artist', 'a2')",
    "a recording left out": "insert into warehouse.exclusion (kind, id) values ('track', 't12'), ('track', 't30')",
    "plays that are gone": "delete from warehouse.fact_event where user_key = 2",
}


@pytest.mark.parametrize("statements", CORRECTIONS.values(), ids=CORRECTIONS.keys())
def test_corrections_are_followed(url: str, statements: str) -> None:
    before = _fetch_shown_rows(url)
    _execute_statements(url, statements)
    assert not rebuild(url)
    assert _fetch_shown_rows(url) != before or "owner_id" in statements
    _assert_same_after_full_refresh(url)


def test_an_exclusion_that_is_taken_back_leaves_nothing_behind(url: str) -> None:
    before = fetch_mart_rows(url)
    _execute_statements(
        url, "insert into warehouse.exclusion (kind, id) values ('artist', 'a2'), ('track', 't30'), ('user', 'u1')"
    )
    rebuild(url)
    for view in ("taste_profile", "taste_profile_attribute", "taste_profile_cluster", "discovery"):
        assert select_rows(url, f"select count(*) as n from mart.{view} where user_id = 'u1'") == [{"n": 0}]
    assert select_rows(url, "select count(*) as n from mart.discovery where artist = 'a2'") == [{"n": 0}]
    assert select_rows(url, "select count(*) as n from mart.playlist_profile where owner_id = 'u1'") == [{"n": 0}]
    _execute_statements(url, "delete from warehouse.exclusion")
    rebuild(url)
    assert fetch_mart_rows(url) == before


def test_new_tracks_and_fits_are_followed_without_being_queued(url: str) -> None:
    assert not _has_changed_days(url)
    before = fetch_mart_rows(url)
    with connect(url) as connection:
        for number in range(75, 80):
            add_track(connection, number)
            set_features(connection, number, 1, Random(number))
    _execute_statements(url, "delete from audit.changed_track")
    assert _has_changed_days(url)
    rebuild(url)
    assert fetch_mart_rows(url)["discovered_track"] != before["discovered_track"]
    _assert_same_after_full_refresh(url)
    with connect(url) as connection:
        fit_clusters(connection, "second", [mean + 0.1 for mean in MEANS])
    assert _has_changed_days(url)
    before = fetch_mart_rows(url)
    rebuild(url)
    assert fetch_mart_rows(url)["listener_taste"] != before["listener_taste"]
    assert fetch_mart_rows(url)["listener_bin"] == before["listener_bin"]
    _assert_same_after_full_refresh(url)


def _has_changed_days(url: str) -> bool:
    with connect(url) as connection:
        return has_changes(connection, DEFINITION)


def _fetch_shown_rows(url: str) -> dict[str, object]:
    return {
        name: rows
        for name, rows in fetch_mart_rows(url).items()
        if name not in ("counted_catalogue", "applied_exclusion")
    }


def _assert_same_after_full_refresh(url: str) -> None:
    followed = fetch_mart_rows(url)
    assert rebuild(url, is_from_nothing=True)
    for name, expected in fetch_mart_rows(url).items():
        assert followed[name] == expected, name


def _execute_statements(url: str, statements: str) -> None:
    with connect(url) as connection:
        for statement in statements.split(";"):
            connection.execute(text(statement))
