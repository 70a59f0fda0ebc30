"""Two nights from the API to the star, and the same star out of all answers where the memory is lost."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from etl.jobs import refresh, spotify
from tests.extract.spotify.nights import lines_of
from tests.jobs.spotify_place import ADA, OTHER, Place, place
from tests.load.star_frames import row_places

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("one_session")]

MEMBERS = """
select p.playlist_id, t.track_id
from warehouse.fact_playlist_track as f
inner join warehouse.dim_playlist as p on p.playlist_key = f.playlist_key
inner join warehouse.dim_track as t on t.track_key = f.track_key
where f.valid_to = 'infinity'
"""


@pytest.fixture
def here(tmp_path: Path, warehouse_url: str, stock: Path) -> Iterator[Place]:
    removal = f'[[change]]\nnight = 1\nkind = "remove_tracks"\naccount = "{ADA}"\ncount = 5\n'
    with place(tmp_path / "state", warehouse_url, stock, removal, mode="extended") as running:
        yield running


def fetch(here: Place, run_id: str, number: int) -> None:
    here.night(number)
    for name in (ADA, OTHER):
        spotify.fetch_account(name, run_id, here.settings, False)
    spotify.fetch_catalogue(run_id, datetime.now(UTC).date(), here.settings, False)


def publish(here: Place, run_id: str, day: int, is_forced: bool = False) -> dict[str, int]:
    assert refresh.plan_refresh(run_id, "nightly_refresh", date(2026, 11, day), is_forced, here.settings)
    refresh.transform_catalogue(run_id, here.settings)
    refresh.fit_clusters(run_id, here.settings)
    return refresh.load_catalogue(run_id, here.settings)


def served(here: Place) -> dict[str, Counter[str]]:
    """What stands on each playlist as the newest whole answer has it, without what is no track."""
    found: dict[str, tuple[str, Counter[str]]] = {}
    for one in here.lake.inputs.find_inputs(["api"]):
        pages: dict[str, list[dict[str, Any]]] = {}
        for line in lines_of(one):
            if line["endpoint"] == "playlist_items" and line["status"] == 200:
                pages.setdefault(line["playlist_id"], []).append(line)
        for id_, lines in pages.items():
            things = [
                (entry or {}).get("item") or (entry or {}).get("track") for p in lines for entry in p["body"]["items"]
            ]
            tracks = Counter(thing["id"] for thing in things if thing and thing["id"] and thing["type"] == "track")
            moment = lines[-1]["asked_at"]
            if id_ not in found or found[id_][0] <= moment:
                found[id_] = (moment, tracks)
    return {id_: tracks for id_, (_, tracks) in found.items()}


def stored(here: Place) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {
        row["playlist_id"]: Counter()
        for row in here.rows("select playlist_id from warehouse.dim_playlist where playlist_key > 0")
    }
    for row in here.rows(MEMBERS):
        found[row["playlist_id"]][row["track_id"]] += 1
    return found


def test_two_nights_and_a_lost_memory(here: Place) -> None:
    fetch(here, "night 0", 0)
    assert publish(here, "night 0", 21)["dim_user"] == 2
    first = served(here)
    assert {id_: tracks for id_, tracks in stored(here).items() if id_ in first} == first
    sums = here.rows(
        "select sum(rows_in) = sum(rows_loaded + rows_duplicate + rows_rejected) as is_even from audit.row_count"
    )
    assert sums == [{"is_even": True}]
    reasons = {row["reason"] for row in here.rows("select distinct reason from audit.rejected_row")}
    assert reasons == {
        *("item has no audio features", "item is a local file", "item is an episode", "item is no longer available")
    }
    (measured,) = here.rows(
        "select count(*) filter (where audio_features_source = 'mock_api') as api, count(energy) as measured,"
        " count(*) filter (where energy = 0 and audio_features_source is null) as made_up"
        " from warehouse.dim_track where track_key > 0"
    )
    assert measured["api"] == measured["measured"] > 0 and measured["made_up"] == 0
    asked = here.rows("select mode from audit.fetch where part = 'catalogue'")
    assert asked == [{"mode": "extended"}]
    assert here.rows("select count(*) > 0 as is_told from warehouse.fact_track_popularity") == [{"is_told": True}]
    countries = here.rows("select country is not null as is_told from warehouse.dim_user where user_key > 0")
    assert countries == [{"is_told": True}] * 2

    fetch(here, "night 1", 1)
    publish(here, "night 1", 22)
    second = served(here)
    assert second != first, "the night changed something"
    assert {id_: tracks for id_, tracks in stored(here).items() if id_ in second} == second
    assert here.rows(
        "select count(*) > 0 as has_history from warehouse.fact_playlist_track where valid_to < 'infinity'"
    ) == [{"has_history": True}]
    assert here.rows("select count(*) as n from warehouse.dim_user where user_key > 0") == [{"n": 2}]

    before = row_places(here.settings.warehouse_url)
    here.lake.latest_state.drop_outdated([])
    assert publish(here, "from all answers", 22, is_forced=True) == {}
    assert row_places(here.settings.warehouse_url) == before
