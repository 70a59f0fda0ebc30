"""Each statement of a thousand profiles of simulated listeners, checked against the plays."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from etl.database import connect, fetch_rows, read_sql, run_statements
from etl.taste_text.figures import TasteFigures, parse_figures
from etl.taste_text.profile import TasteText, write_profile
from launch import postgres
from tests.conftest import copy_database
from tests.marts import listeners
from tests.marts.listening import rebuild
from tests.marts.sounds import DEVIATIONS, MEANS, fit_clusters
from tests.simulator.listeners.small_library import LIBRARY, TRACKS
from tests.taste_text.truth import Facts, compute_facts, find_untrue_statements

USERS = 520
YEARS = (2026, 2027)
FIRST_TIME = datetime(2026, 12, 8, tzinfo=UTC)
_SOUNDS = """
select setseed(0.25);

insert into warehouse.dim_genre (genre_key, genre)
select n, (array['rock', 'indie pop', 'r&b', 'hip hop', 'jazz, live', 'folk'])[n] from generate_series(1, 6) as n;

-- An artist has a genre or two; every ninth has none.
insert into warehouse.bridge_track_genre (track_key, genre_key, source, weight)
select t.track_key, g.genre_key, 's', g.weight
from warehouse.dim_track as t
inner join warehouse.bridge_track_artist as b on b.track_key = t.track_key
cross join lateral (
    values (b.artist_key % 6 + 1, 0.75), ((b.artist_key / 6) % 6 + 1, 0.25)
) as g (genre_key, weight)
where t.track_key > 0 and b.artist_key % 9 > 0
on conflict do nothing;

update warehouse.dim_track as t
set audio_features_type = k.audio_features_type,
    danceability = least(greatest(k.danceability + (random() - 0.5) / 4, 0), 1),
    energy = least(greatest(k.energy + (random() - 0.5) / 4, 0), 1),
    loudness = least(k.loudness + (random() - 0.5) * 8, 0),
    speechiness = least(greatest(k.speechiness + (random() - 0.5) / 8, 0), 1),
    acousticness = least(greatest(k.acousticness + (random() - 0.5) / 4, 0), 1),
    instrumentalness = least(greatest(k.instrumentalness + (random() - 0.5) / 4, 0), 1),
    liveness = least(greatest(k.liveness + (random() - 0.5) / 4, 0), 1),
    valence = least(greatest(k.valence + (random() - 0.5) / 4, 0), 1),
    tempo = k.tempo + (random() - 0.5) * 40,
    audio_features_source = 's'
from warehouse.dim_audio_cluster as k
inner join warehouse.bridge_track_artist as b on b.artist_key % 3 + 1 = k.audio_features_type
where t.track_key > 0 and b.track_key = t.track_key and t.track_key % 11 > 0;

update warehouse.dim_audio_cluster as k
set size = (select count(*) from warehouse.dim_track as t where t.audio_features_type = k.audio_features_type);
"""


@pytest.fixture(scope="module")
def url(embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    with copy_database(embedded_server, migrated_template) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(listeners, "FIRST_TIME", FIRST_TIME)
        with connect(url) as connection:
            listeners.fill_catalogue(connection)
            known_tracks = TRACKS.iloc[: LIBRARY.known_track_count]
            connection.execute(
                text("insert into warehouse.bridge_track_artist (track_key, artist_key, position) values (:t, :a, 1)"),
                [{"t": n + 1, "a": int(artist[1:]) + 1} for n, artist in enumerate(known_tracks["artist_id"])],
            )
            fit_clusters(connection)
            run_statements(connection, _SOUNDS)
            listeners.add_synthetic_plays(connection, USERS, days=45, seed=4)
        rebuild(url)
        yield url


@pytest.fixture(scope="module")
def facts(url: str) -> Facts:
    return compute_facts(url, MEANS, DEVIATIONS)


@pytest.fixture(scope="module")
def figures(url: str) -> dict[tuple[str, int], TasteFigures]:
    """Return the figures of all users and years that have plays."""
    statement = (
        "select l.user_id, y.year, f.* from mart.listener as l cross join (values (2026), (2027)) as y (year)"
        " cross join lateral mart.taste_figures(l.user_id, y.year) as f"
    )
    with connect(url) as connection:
        rows = fetch_rows(connection, statement)
    return {(str(row["user_id"]), int(str(row["year"]))): parse_figures(row, int(str(row["year"]))) for row in rows}


@pytest.fixture(scope="module")
def profiles(figures: dict[tuple[str, int], TasteFigures]) -> dict[tuple[str, int], TasteText]:
    return {(user, year): write_profile(each, user) for (user, year), each in figures.items()}


def test_each_statement_of_a_thousand_profiles_is_true(
    facts: Facts, profiles: dict[tuple[str, int], TasteText]
) -> None:
    assert len(profiles) >= 1000 and profiles.keys() == facts.by_user.keys()
    faults = [
        fault
        for (user, year), profile in profiles.items()
        for fault in find_untrue_statements(profile, user, year, facts)
    ]
    assert faults == []
    kinds = Counter(statement.kind for profile in profiles.values() for statement in profile.statements)
    seldom = {kind for kind, count in kinds.items() if count < 5}
    assert len(kinds) >= 11 and seldom <= {"usual_sound", "no_drift", "shared_favourite"}, kinds


def test_texts_vary_and_are_the_same_again(
    figures: dict[tuple[str, int], TasteFigures], profiles: dict[tuple[str, int], TasteText]
) -> None:
    texts = [profile.text for profile in profiles.values()]
    assert len(set(texts)) == len(texts)
    assert all(write_profile(each, user).text == profiles[user, year].text for (user, year), each in figures.items())
    assert all(1 <= len(re.findall(r"\.(?: |$)", each)) <= 3 for each in texts)
    assert not [each for each in texts if re.search(r"  | ,|\.\.|None", each)]


def test_the_checker_notices_each_untrue_statement(facts: Facts, figures: dict[tuple[str, int], TasteFigures]) -> None:
    """Change one figure at a time: each change that the text shows must be noticed."""
    changes = {
        "tracks": lambda f: {"tracks": f.tracks + 1},
        "minutes": lambda f: {"minutes_played": f.minutes_played + 61},
        "artist": lambda f: {"top_artist": "Nobody"},
        "artist plays": lambda f: {"top_artist_plays": f.top_artist_plays + 1},
        "genre share": lambda f: {"top_genre_share": (f.top_genre_share or 0) + 0.02},
        "earlier share": lambda f: {"earlier_top_genre_share": (f.earlier_top_genre_share or 0) + 0.3},
        "cluster share": lambda f: {"top_cluster_share": (f.top_cluster_share or 0) + 0.02},
        "sound": lambda f: {"distances": {name: -value for name, value in f.distances.items()}},
        "hours": lambda f: {"plays_by_hour": f.plays_by_hour[12:] + f.plays_by_hour[:12]},
        "new artists": lambda f: {"new_artists": max(f.new_artists - 1, 0)},
    }
    for name, change in changes.items():
        changed, noticed = 0, 0
        for (user, year), each in figures.items():
            profile = write_profile(replace(each, **change(each)), user)
            if profile.text == write_profile(each, user).text:
                continue
            changed += 1
            noticed += bool(find_untrue_statements(profile, user, year, facts))
        assert changed > 20, name
        # Some changes only leave a statement out, and what is left is true.
        assert noticed / changed > 0.8, (name, noticed, changed)


def test_the_query_of_the_dashboard_has_the_same_figures(
    url: str, figures: dict[tuple[str, int], TasteFigures]
) -> None:
    with connect(url) as connection:
        (row,) = fetch_rows(connection, read_sql("queries/dashboard/taste_figures"), user_id="u7", year=2027)
        assert parse_figures(row, 2027) == figures["u7", 2027]
        assert not fetch_rows(connection, read_sql("queries/dashboard/taste_figures"), user_id="u7", year=2020)
        assert not fetch_rows(connection, read_sql("queries/dashboard/taste_figures"), user_id="u7", year=0)
