"""What accounts did, from the API's answers to the star."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse
from etl.jobs import events, spotify
from tests.extract.spotify.nights import lines_of
from tests.jobs.spotify_place import ADA, OTHER, STILL, Place, place

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("one_session")]

TODAY = datetime.now(UTC).date()
NO_CHANGE = f"first_day = {TODAY - timedelta(days=5)}\n{STILL}"
SUMS = """
select input_id, rows_in, rows_loaded, rows_duplicate, rows_rejected
from audit.row_count where step = 'load_events' order by run_id, input_id
"""


@pytest.fixture
def here(tmp_path: Path, warehouse_url: str, stock: Path) -> Iterator[Place]:
    saves = f'[[change]]\nnight = 2\nkind = "save_tracks"\naccount = "{ADA}"\ncount = 2\n'
    with place(tmp_path / "state", warehouse_url, stock, NO_CHANGE + saves) as running:
        yield running


def load(here: Place, run_id: str) -> dict[str, int]:
    if not events.plan_events(run_id, here.settings):
        return {}
    return events.load_events(run_id, date(2026, 11, 21), here.settings)


def told(here: Place) -> Counter[tuple[str, str]]:
    """What the lake's answers say: (account, thing) with when it was saved."""
    return Counter(
        (line["account"], (entry["item"] if "item" in entry else entry["track"])["id"])
        for one in here.lake.inputs.find_inputs(["api"])
        for line in lines_of(one)
        if line["endpoint"] == "saved_tracks"
        for entry in line["body"]["items"]
    )


def stored(here: Place, source: str) -> list[dict[str, Any]]:
    return here.rows(
        """
        select u.user_id, e.activity_type, t.track_id, a.artist_id, e.event_time
        from warehouse.fact_event as e
        inner join warehouse.dim_user as u using (user_key)
        inner join warehouse.dim_track as t using (track_key)
        inner join warehouse.dim_artist as a using (artist_key)
        where e.source = :source
        order by e.event_id
        """,
        source=source,
    )


def test_saved_tracks_and_followed_artists_become_events_once(here: Place) -> None:
    here.night(0)
    for name in (ADA, OTHER):
        spotify.fetch_account(name, "night 0", here.settings, False)
    added = load(here, "load 0")
    saved, followed = stored(here, "saved_tracks"), stored(here, "followed_artists")
    ids = {here.accounts.get_account(name).account_id: name for name in (ADA, OTHER)}
    assert Counter((ids[row["user_id"]], row["track_id"]) for row in saved) == told(here)
    assert {row["activity_type"] for row in saved} == {"LIKE"}
    assert {(row["activity_type"], row["track_id"]) for row in followed} == {("FOLLOW", "not applicable")}
    assert added == {"fact_event": len(saved) + len(followed)}
    sums = here.rows(SUMS)
    assert {row["input_id"] for row in sums} == {
        f"{one.input_id}.events" for one in here.lake.inputs.find_inputs(["api"])
    }
    assert all(row["rows_in"] == row["rows_loaded"] + row["rows_duplicate"] + row["rows_rejected"] for row in sums)
    assert sum(row["rows_loaded"] for row in sums) == added["fact_event"]

    here.night(1)
    for name in (ADA, OTHER):
        spotify.fetch_account(name, "night 1", here.settings, False)
    assert load(here, "load 1") == {}

    here.night(2)
    spotify.fetch_account(ADA, "night 2", here.settings, False)
    assert load(here, "load 2") == {"fact_event": 2}
    assert stored(here, "followed_artists") == followed, "seen again, they keep the moment of their first sight"
    assert load(here, "load 3") == {}


def test_answers_that_tell_of_no_event_are_taken_once(here: Place) -> None:
    spotify.fetch_account(ADA, "night 0", here.settings, False)
    (whole,) = here.lake.inputs.find_inputs(["api"])
    catalogue = [line for line in lines_of(whole) if line["endpoint"] == "my_playlists"]
    assert catalogue
    answers = ResponseStore(here.lake, "catalogue alone", "catalogue")

    def my_playlists() -> ApiResponse:
        return ApiResponse(**{name: value for name, value in catalogue[0].items() if name != "number"})

    answers.fetch_once(my_playlists)
    assert answers.store_input(datetime.now(UTC))
    load(here, "load 0")
    assert events.plan_events("load 1", here.settings) == 0
    taken = here.rows("select input_id, row_count from audit.run_input order by row_count")
    assert [row["row_count"] for row in taken] == [0, taken[1]["row_count"]] and taken[1]["row_count"] > 0
