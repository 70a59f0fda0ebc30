"""The actions of accounts, from the API's responses to the star."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.extract.spotify.responses import ResponseStore
from etl.formats.api_responses import ApiResponse
from etl.jobs import events, spotify
from tests.extract.spotify.simulated_days import read_lines
from tests.jobs.mock_api_environment import FIRST_ACCOUNT, SECOND_ACCOUNT, STILL, MockApiEnvironment, start_environment

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("one_session")]

TODAY = datetime.now(UTC).date()
NO_CHANGE = f"first_day = {TODAY - timedelta(days=5)}\n{STILL}"
SUMS = """
select input_id, rows_in, rows_loaded, rows_duplicate, rows_rejected
from audit.row_count where step = 'load_events' order by run_id, input_id
"""


@pytest.fixture
def environment(tmp_path: Path, warehouse_url: str, seed_data_path: Path) -> Iterator[MockApiEnvironment]:
    saves = f'[[change]]\nnight = 2\nkind = "save_tracks"\naccount = "{FIRST_ACCOUNT}"\ncount = 2\n'
    with start_environment(tmp_path / "state", warehouse_url, seed_data_path, NO_CHANGE + saves) as running:
        yield running


def load_events(environment: MockApiEnvironment, run_id: str) -> dict[str, int]:
    if not events.plan_events(run_id, environment.settings):
        return {}
    return events.load_events(run_id, date(2026, 11, 21), environment.settings)


def count_saved_items(environment: MockApiEnvironment) -> Counter[tuple[str, str]]:
    """Count the pairs of account and saved track in the responses of the lake."""
    return Counter(
        (line["account"], (entry["item"] if "item" in entry else entry["track"])["id"])
        for received in environment.lake.inputs.find_inputs(["api"])
        for line in read_lines(received)
        if line["endpoint"] == "saved_tracks"
        for entry in line["body"]["items"]
    )


def fetch_stored_events(environment: MockApiEnvironment, source: str) -> list[dict[str, Any]]:
    return environment.rows(
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


def test_saved_tracks_and_followed_artists_become_events_once(environment: MockApiEnvironment) -> None:
    environment.night(0)
    for name in (FIRST_ACCOUNT, SECOND_ACCOUNT):
        spotify.fetch_account(name, "night 0", environment.settings, False)
    added = load_events(environment, "load 0")
    saved, followed = (
        fetch_stored_events(environment, "saved_tracks"),
        fetch_stored_events(environment, "followed_artists"),
    )
    ids = {environment.accounts.get_account(name).account_id: name for name in (FIRST_ACCOUNT, SECOND_ACCOUNT)}
    assert Counter((ids[row["user_id"]], row["track_id"]) for row in saved) == count_saved_items(environment)
    assert {row["activity_type"] for row in saved} == {"LIKE"}
    assert {(row["activity_type"], row["track_id"]) for row in followed} == {("FOLLOW", "not applicable")}
    assert added == {"fact_event": len(saved) + len(followed)}
    sums = environment.rows(SUMS)
    assert {row["input_id"] for row in sums} == {
        f"{received.input_id}.events" for received in environment.lake.inputs.find_inputs(["api"])
    }
    assert all(row["rows_in"] == row["rows_loaded"] + row["rows_duplicate"] + row["rows_rejected"] for row in sums)
    assert sum(row["rows_loaded"] for row in sums) == added["fact_event"]

    environment.night(1)
    for name in (FIRST_ACCOUNT, SECOND_ACCOUNT):
        spotify.fetch_account(name, "night 1", environment.settings, False)
    assert load_events(environment, "load 1") == {}

    environment.night(2)
    spotify.fetch_account(FIRST_ACCOUNT, "night 2", environment.settings, False)
    assert load_events(environment, "load 2") == {"fact_event": 2}
    assert fetch_stored_events(environment, "followed_artists") == followed, (
        "seen again, they keep the moment of their first sight"
    )
    assert load_events(environment, "load 3") == {}


def test_answers_that_tell_of_no_event_are_taken_once(environment: MockApiEnvironment) -> None:
    spotify.fetch_account(FIRST_ACCOUNT, "night 0", environment.settings, False)
    (received,) = environment.lake.inputs.find_inputs(["api"])
    catalogue = [line for line in read_lines(received) if line["endpoint"] == "my_playlists"]
    assert catalogue
    responses = ResponseStore(environment.lake, "catalogue alone", "catalogue")

    def return_my_playlists() -> ApiResponse:
        return ApiResponse(**{name: value for name, value in catalogue[0].items() if name != "number"})

    responses.fetch_once(return_my_playlists)
    assert responses.store_input(datetime.now(UTC))
    load_events(environment, "load 0")
    assert events.plan_events("load 1", environment.settings) == 0
    taken = environment.rows("select input_id, row_count from audit.run_input order by row_count")
    assert [row["row_count"] for row in taken] == [0, taken[1]["row_count"]] and taken[1]["row_count"] > 0
