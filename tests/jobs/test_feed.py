"""A feed from the warehouse's catalogue into the lake, and the simulated traits into the warehouse."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pytest

from etl import database
from etl.errors import ActionNeededError
from etl.formats.contracts.avro import load_contract
from etl.jobs import events
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from simulator.jobs import feed, feed_form
from simulator.listeners.habits import AGES_AS_OF, DEFAULTS
from simulator.listeners.parameters import InjectedErrorRates, Parameters

pytestmark = pytest.mark.usefixtures("one_session")

NOW = datetime(2026, 10, 5, tzinfo=UTC)
TWO_DAYS = Parameters(
    30, NOW - timedelta(days=3), NOW - timedelta(days=1), dirt=InjectedErrorRates(duplicate=0.05, unknown_track=0.05)
)

CATALOGUE = """
insert into warehouse.dim_artist (artist_key, artist_id, name, popularity, popularity_source, source)
select n, 'artist' || n, 'Artist ' || n, n, 'kaggle', 'tracks_by_genre' from generate_series(1, 40) as n;
insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, duration_ms, release_date,
    release_date_precision, release_date_source, popularity, popularity_source, primary_genre, valence, source)
select n, case when n = 2 then 1 else n end, -1, case when n = 3 then 'name:3' else 'track' || n end, 'Song ' || n,
    case when n = 4 then 0 else 180000 end, date '1980-01-01' + n * 50, 'day', 'playlist_songs', n % 100, 'kaggle',
    'genre ' || n % 4, 0.5, 'tracks_by_genre'
from generate_series(1, 300) as n;
insert into warehouse.bridge_track_artist (track_key, artist_key, position)
select n, 1 + n % 40, 1 from generate_series(1, 300) as n;
insert into warehouse.dim_playlist (playlist_key, playlist_id, name, source) values (1, 'mine', 'Mine', 'api');
insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from)
select 1, n, 1, now() from generate_series(1, 20) as n;
"""
_SURVEY = """
insert into warehouse.survey_response (response_id, age_band, gender, listening_devices, subscription_plan, time_slot)
select 'r' || n, '20-35', 'Female', array['Smartphone'], 'Free (ad-supported)', 'Night'
from generate_series(1, 50) as n;
"""


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: str) -> Settings:
    return read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": warehouse_url})


def _fetch_rows(settings: Settings, statement: str) -> list[dict[str, object]]:
    with database.connect(settings.warehouse_url) as connection:
        return database.fetch_rows(connection, statement)


def test_without_a_catalogue_it_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(ActionNeededError, match="import a catalogue first"):
        feed.simulate_feed("run", TWO_DAYS, NOW, settings)


def test_what_has_not_come_is_not_told(settings: Settings) -> None:
    with pytest.raises(ActionNeededError, match="has not come yet"):
        feed.simulate_feed("run", replace(TWO_DAYS, end=NOW + timedelta(days=3)), NOW, settings)


def test_the_same_simulation_is_one_input(settings: Settings) -> None:
    with database.connect(settings.warehouse_url) as connection:
        connection.exec_driver_sql(CATALOGUE + _SURVEY, execution_options={"no_parameters": True})
    tracks, playlist_tracks, playlist_ids = feed.read_catalogue(settings.warehouse_url)
    assert "track1" not in set(tracks["track_id"]) or "track2" not in set(tracks["track_id"])
    assert not {"name:3", "track4"} & set(tracks["track_id"])
    assert playlist_ids == ["mine"] and len(playlist_tracks) == 17
    simulated = feed.simulate_feed("first", TWO_DAYS, NOW, settings)
    again = feed.simulate_feed("second", TWO_DAYS, NOW + timedelta(days=1), settings)
    assert simulated == again
    inputs = {received.format: received for received in Lake(settings.lake_url).inputs.find_inputs(["feed"])}
    assert {name: simulated[name]["row_count"] for name in inputs} == {
        name: received.row_count for name, received in inputs.items()
    }
    assert inputs["user_activity"].row_count > 300 and inputs["user"].row_count >= 30
    assert inputs["user_activity"].size_bytes > 10_000
    listeners = _fetch_rows(settings, "select * from simulation.listener")
    assert len(listeners) == 30 and {row["population"] for row in listeners} == {simulated["population"]}
    injected_errors = {
        row["kind"]: row["row_count"]
        for row in _fetch_rows(settings, "select kind, row_count from simulation.injected_error")
    }
    assert injected_errors["duplicate"] and injected_errors["unknown_track"] and injected_errors["broken"] == 0
    runs = _fetch_rows(settings, "select result from audit.run order by run_id")
    assert [row["result"] for row in runs] == ["published", "published"]


def test_a_growing_population_has_its_truth_and_its_accounts(settings: Settings) -> None:
    with database.connect(settings.warehouse_url) as connection:
        connection.exec_driver_sql(CATALOGUE, execution_options={"no_parameters": True})
    form = {"users": 60, "seed": 8, "start": "2026-06-20", "end": "2026-08-20", "growing_since": "2026-07-01"}
    feed_form.simulate_form("made", form, NOW, settings)
    assert events.plan_events("loaded", settings) == 2
    events.load_events("loaded", NOW.date(), settings)
    (outages,) = _fetch_rows(
        settings,
        """
        select count(distinct o.started_at) as n, count(e.event_id) as broken, min(o.started_at) as first_begin
        from simulation.outage as o
        left join warehouse.fact_event as e on e.event_time >= o.started_at and e.event_time < o.ended_at
        """,
    )
    assert outages["n"] and outages["broken"] == 0
    assert str(outages["first_begin"]) >= "2026-07-01"
    holidays = _fetch_rows(settings, "select * from simulation.holiday where holiday_date = '2026-07-14'")
    assert [row["country"] for row in holidays] == ["FR"]
    listeners = _fetch_rows(
        settings,
        """
        select l.sign_up_date, l.churn_date, u.user_key is not null as has_account, e.first_date, e.last_date
        from simulation.listener as l
        left join warehouse.dim_user as u on l.user_id = u.user_id and u.is_current
        left join lateral (
            select min(e.local_time)::date as first_date, max(e.local_time)::date as last_date
            from warehouse.fact_event as e
            inner join warehouse.dim_user as v on e.user_key = v.user_key where v.user_id = l.user_id
        ) as e on true
        """,
    )
    assert len(listeners) == 60
    for row in listeners:
        assert row["has_account"] == (str(row["sign_up_date"]) < "2026-08-20")
        assert row["first_date"] is None or row["first_date"] >= row["sign_up_date"]
        # A listening day ends at 04:00 of the next date.
        assert row["last_date"] is None or row["churn_date"] is None or row["last_date"] <= row["churn_date"]
    assert sum(row["first_date"] is not None for row in listeners) >= 10


def test_contracts_for_other_readers_go_into_a_folder(settings: Settings, tmp_path: Path) -> None:
    with database.connect(settings.warehouse_url) as connection:
        connection.exec_driver_sql(CATALOGUE, execution_options={"no_parameters": True})
    form = {"users": 5, "hours": 24, "late": 0.2, "broken": 0.2}
    wrapped, entities, activity = (
        feed_form.simulate_form("run", {**form, "contract": contract}, NOW, settings, tmp_path / "out" / contract)
        for contract in ("spotify_wrapped_data", "entities", "user_activity_1")
    )
    assert wrapped["population"] == entities["population"] == activity["population"]
    for result in (wrapped, entities):
        for name, row_count in result["records"].items():
            paths = sorted((Path(result["folder"]) / name).iterdir())
            records: list[Any] = []
            for path in paths:
                with path.open("rb") as source:
                    reader = fastavro.reader(source, load_contract(name))
                    records += list(reader)
            assert len(records) == row_count > 0
    events = activity["user_activity"]["row_count"]
    assert wrapped["records"] == {"spotify_wrapped_data": events}
    assert entities["records"].pop("entity_event") == events
    assert entities["records"] == {"entity_user": 5, "entity_track": 297, "entity_artist": 40}
    assert {received.format for received in Lake(settings.lake_url).inputs.find_inputs(["feed"])} == {
        "user_activity",
        "user",
    }
    again = feed_form.simulate_form("run", {**form, "contract": "entities"}, NOW, settings)
    assert Path(again["folder"]).parent == settings.state_dir / "exports"
    assert feed_form.simulate_form("run", {**form, "contract": "entities"}, NOW, settings) == again


def test_the_star_takes_all_of_it_but_what_is_broken(settings: Settings) -> None:
    with database.connect(settings.warehouse_url) as connection:
        connection.exec_driver_sql(CATALOGUE + _SURVEY, execution_options={"no_parameters": True})
    dirty = replace(TWO_DAYS, dirt=InjectedErrorRates(duplicate=0.05, late=0.05, unknown_track=0.05, broken=0.05))
    simulated = feed.simulate_feed("made", dirty, NOW, settings)
    assert events.plan_events("loaded", settings) == 2
    events.load_events("loaded", NOW.date(), settings)
    injected_errors = {
        row["kind"]: int(str(row["row_count"]))
        for row in _fetch_rows(settings, "select * from simulation.injected_error")
    }
    counts = {
        row["source"]: row for row in _fetch_rows(settings, "select * from audit.row_count where run_id = 'loaded'")
    }
    activity_counts = counts["user_activity"]
    assert activity_counts["rows_in"] == simulated["user_activity"]["row_count"]
    assert (activity_counts["rows_rejected"], activity_counts["rows_duplicate"]) == (
        injected_errors["broken"],
        injected_errors["duplicate"],
    )
    assert counts["user"]["rows_rejected"] == 0
    statement = "select count(*) as n, count(*) filter (where continent is null) as lost from warehouse.fact_event"
    assert _fetch_rows(settings, statement)[0] == {"n": activity_counts["rows_loaded"], "lost": 0}


def test_what_is_asked_of_listeners_is_found_in_the_star(settings: Settings) -> None:
    with database.connect(settings.warehouse_url) as connection:
        connection.exec_driver_sql(CATALOGUE, execution_options={"no_parameters": True})
    crowd = replace(TWO_DAYS, users=6000, start=NOW - timedelta(days=2), dirt=InjectedErrorRates())
    feed.simulate_feed("made", crowd, NOW, settings)
    assert events.plan_events("loaded", settings) == 2
    events.load_events("loaded", NOW.date(), settings)
    statement = database.read_sql("queries/report/listening_shares")
    with database.connect(settings.warehouse_url) as connection:
        rows = database.fetch_rows(connection, statement, ages_as_of=AGES_AS_OF)
    fractions = {(row["question"], row["answer"]): float(str(row["share"])) for row in rows}
    expected_fractions = {
        (question, answer): share
        for question, shares in DEFAULTS.list_requested_fractions().items()
        for answer, share in shares.items()
        if question != "gender"
    }
    for key, share in sorted(expected_fractions.items()):
        sys.stdout.write(f"{key[0]:<9} {key[1]:<14} asked {share:7.2%}  found {fractions.get(key, 0):7.2%}\n")
    assert set(fractions) <= set(expected_fractions)
    assert {key: fractions.get(key, 0) for key in expected_fractions} == pytest.approx(expected_fractions, abs=0.02)
