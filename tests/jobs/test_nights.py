"""Two simulated days from the API to the star, and the same star from all responses after the latest state is lost."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from etl.jobs import refresh, refresh_plan, spotify
from tests.extract.spotify.simulated_days import read_lines
from tests.jobs.mock_api_environment import FIRST_ACCOUNT, SECOND_ACCOUNT, MockApiEnvironment, start_environment
from tests.load.star_frames import select_row_locations

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("one_session")]

MEMBERS = """
select p.playlist_id, t.track_id
from warehouse.fact_playlist_track as f
inner join warehouse.dim_playlist as p on p.playlist_key = f.playlist_key
inner join warehouse.dim_track as t on t.track_key = f.track_key
where f.valid_to = 'infinity'
"""


@pytest.fixture
def environment(tmp_path: Path, warehouse_url: str, seed_data_path: Path) -> Iterator[MockApiEnvironment]:
    removal = f'[[change]]\nnight = 1\nkind = "remove_tracks"\naccount = "{FIRST_ACCOUNT}"\ncount = 5\n'
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, removal, mode="extended") as running:
        yield running


def fetch_day(environment: MockApiEnvironment, run_id: str, number: int) -> None:
    environment.night(number)
    for name in (FIRST_ACCOUNT, SECOND_ACCOUNT):
        spotify.fetch_account(name, run_id, environment.settings, False)
    spotify.fetch_catalogue(run_id, datetime.now(UTC).date(), environment.settings, False)


def publish_day(environment: MockApiEnvironment, run_id: str, day: int, is_forced: bool = False) -> dict[str, int]:
    assert refresh_plan.plan_refresh(run_id, "nightly_refresh", date(2026, 11, day), is_forced, environment.settings)
    refresh.transform_catalogue(run_id, environment.settings)
    refresh.fit_clusters(run_id, environment.settings)
    return refresh.load_catalogue(run_id, environment.settings)


def count_served_tracks(environment: MockApiEnvironment) -> dict[str, Counter[str]]:
    """Return the tracks of each playlist by the newest complete response, without items that are not tracks."""
    newest_tracks: dict[str, tuple[str, Counter[str]]] = {}
    for received in environment.lake.inputs.find_inputs(["api"]):
        pages: dict[str, list[dict[str, Any]]] = {}
        for line in read_lines(received):
            if line["endpoint"] == "playlist_items" and line["status"] == 200:
                pages.setdefault(line["playlist_id"], []).append(line)
        for id_, lines in pages.items():
            items = [
                (entry or {}).get("item") or (entry or {}).get("track") for p in lines for entry in p["body"]["items"]
            ]
            tracks = Counter(item["id"] for item in items if item and item["id"] and item["type"] == "track")
            asked_at = lines[-1]["asked_at"]
            if id_ not in newest_tracks or newest_tracks[id_][0] <= asked_at:
                newest_tracks[id_] = (asked_at, tracks)
    return {id_: tracks for id_, (_, tracks) in newest_tracks.items()}


def count_stored_tracks(environment: MockApiEnvironment) -> dict[str, Counter[str]]:
    tracks_by_playlist: dict[str, Counter[str]] = {
        row["playlist_id"]: Counter()
        for row in environment.rows("select playlist_id from warehouse.dim_playlist where playlist_key > 0")
    }
    for row in environment.rows(MEMBERS):
        tracks_by_playlist[row["playlist_id"]][row["track_id"]] += 1
    return tracks_by_playlist


def test_two_nights_and_a_lost_memory(environment: MockApiEnvironment) -> None:
    fetch_day(environment, "night 0", 0)
    assert publish_day(environment, "night 0", 21)["dim_user"] == 2
    first = count_served_tracks(environment)
    assert {id_: tracks for id_, tracks in count_stored_tracks(environment).items() if id_ in first} == first
    sums = environment.rows(
        "select sum(rows_in) = sum(rows_loaded + rows_duplicate + rows_rejected) as is_even from audit.row_count"
    )
    assert sums == [{"is_even": True}]
    reasons = {row["reason"] for row in environment.rows("select distinct reason from audit.rejected_row")}
    assert reasons == {
        *("item has no audio features", "item is a local file", "item is an episode", "item is no longer available")
    }
    (measured,) = environment.rows(
        "select count(*) filter (where audio_features_source = 'mock_api') as api, count(energy) as measured,"
        " count(*) filter (where energy = 0 and audio_features_source is null) as made_up"
        " from warehouse.dim_track where track_key > 0"
    )
    assert measured["api"] == measured["measured"] > 0 and measured["made_up"] == 0
    fetch_modes = environment.rows("select mode from audit.fetch where part = 'catalogue'")
    assert fetch_modes == [{"mode": "extended"}]
    assert environment.rows("select count(*) > 0 as is_told from warehouse.fact_track_popularity") == [
        {"is_told": True}
    ]
    countries = environment.rows("select country is not null as is_told from warehouse.dim_user where user_key > 0")
    assert countries == [{"is_told": True}] * 2

    fetch_day(environment, "night 1", 1)
    publish_day(environment, "night 1", 22)
    second = count_served_tracks(environment)
    assert second != first, "the night changed something"
    assert {id_: tracks for id_, tracks in count_stored_tracks(environment).items() if id_ in second} == second
    assert environment.rows(
        "select count(*) > 0 as has_history from warehouse.fact_playlist_track where valid_to < 'infinity'"
    ) == [{"has_history": True}]
    assert environment.rows("select count(*) as n from warehouse.dim_user where user_key > 0") == [{"n": 2}]

    before = select_row_locations(environment.settings.warehouse_url)
    environment.lake.latest_state.drop_outdated([])
    assert publish_day(environment, "from all answers", 22, is_forced=True) == {}
    assert select_row_locations(environment.settings.warehouse_url) == before
