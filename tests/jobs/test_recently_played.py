"""Recently played tracks: fetched, loaded once, and gaps detected and closed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.errors import MustSignInError
from etl.jobs import events, spotify
from etl.jobs.account_import import import_export
from etl.jobs.recently_played import fetch_plays
from tests.exports import AUDIO, make_play, write_export_folder
from tests.extract.spotify.simulated_days import read_lines
from tests.jobs.mock_api_environment import FIRST_ACCOUNT, SECOND_ACCOUNT, STILL, MockApiEnvironment, start_environment

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("one_session")]

FIRST_DAY = datetime.now(UTC).date() - timedelta(days=9)


@pytest.fixture
def environment(tmp_path: Path, warehouse_url: str, seed_data_path: Path) -> Iterator[MockApiEnvironment]:
    with start_environment(
        tmp_path / "state", warehouse_url, seed_data_path, f"first_day = {FIRST_DAY}\n{STILL}"
    ) as running:
        running.night(0)
        yield running


def load_events(environment: MockApiEnvironment, run_id: str) -> dict[str, int]:
    assert events.plan_events(run_id, environment.settings)
    return events.load_events(run_id, date(2026, 11, 21), environment.settings)


def select_plays(environment: MockApiEnvironment) -> list[dict[str, Any]]:
    return environment.rows(
        "select event_time, started_at, ended_at from warehouse.fact_event"
        " where source = 'recently_played' order by event_time"
    )


def fetch_gaps(environment: MockApiEnvironment) -> list[dict[str, Any]]:
    return environment.rows("select * from audit.gap order by user_id, gap_from")


def test_a_look_without_news_keeps_nothing(environment: MockApiEnvironment) -> None:
    assert fetch_plays(FIRST_ACCOUNT, "look 1", environment.settings, False) == {
        **{"account": FIRST_ACCOUNT, "state": "done", "plays": 50, "has_gap": False}
    }
    line = environment.fetched("look 1", f"recently_played-{FIRST_ACCOUNT}")
    (received,) = environment.lake.inputs.find_inputs(["api"])
    assert (line["input_id"], line["calls"], line["account"]) == (
        received.input_id,
        {"recently_played": 1},
        FIRST_ACCOUNT,
    )
    (response_line,) = read_lines(received)
    assert "after" not in response_line["query"], "the page shows the play that it joins on"
    assert fetch_plays(FIRST_ACCOUNT, "look 2", environment.settings, False)["plays"] == 0
    assert fetch_plays(FIRST_ACCOUNT, "look 1", environment.settings, False)["plays"] == 50, (
        "run again it brings the same"
    )
    assert len(environment.lake.inputs.find_inputs(["api"])) == 1 and fetch_gaps(environment) == []
    assert spotify.fetch_account(FIRST_ACCOUNT, "night", environment.settings, False)["playlists_changed"] == 12


def test_plays_are_loaded_once_and_a_gap_is_closed_by_an_export(
    environment: MockApiEnvironment, tmp_path: Path
) -> None:
    fetch_plays(FIRST_ACCOUNT, "look 1", environment.settings, False)
    assert load_events(environment, "load 1") == {"fact_event": 50}
    first = select_plays(environment)
    assert all(row["started_at"] is None and row["ended_at"] is None for row in first)
    environment.night(1)
    assert not fetch_plays(FIRST_ACCOUNT, "look 2", environment.settings, False)["has_gap"]
    added = load_events(environment, "load 2")["fact_event"]
    sums = environment.rows("select rows_in, rows_loaded, rows_duplicate from audit.row_count where run_id = 'load 2'")
    assert sums == [{"rows_in": 50, "rows_loaded": added, "rows_duplicate": 50 - added}] and 0 < added < 50

    before = max(row["event_time"] for row in select_plays(environment))
    environment.night(6)
    assert fetch_plays(FIRST_ACCOUNT, "look 3", environment.settings, False)["has_gap"]
    assert load_events(environment, "load 3") == {"fact_event": 50}
    after = min(row["event_time"] for row in select_plays(environment) if row["event_time"] > before)
    (gap,) = fetch_gaps(environment)
    user_id = environment.accounts.get_account(FIRST_ACCOUNT).account_id
    assert {name: gap[name] for name in ("user_id", "gap_from", "gap_to", "run_id", "closed_at")} == {
        **{"user_id": user_id, "gap_from": before, "gap_to": after, "run_id": "look 3", "closed_at": None}
    }

    def import_export_files(name: str, *files: list[datetime]) -> None:
        """Import an export of several files, each with separate plays."""
        records = {
            AUDIO.replace("_0", f"_{number}"): [
                make_play(ts=played_at.strftime("%Y-%m-%dT%H:%M:%SZ")) for played_at in timestamps
            ]
            for number, timestamps in enumerate(files)
        }
        folder = write_export_folder(tmp_path / name, **records)
        import_export(str(folder), user_id, "Europe/Berlin", environment.settings, datetime.now(UTC))

    import_export_files("too short", [before - timedelta(days=1), before + timedelta(hours=1)])
    load_events(environment, "load 4")
    assert fetch_gaps(environment)[0]["closed_at"] is None
    import_export_files("another's beginning", [after + timedelta(minutes=30)])
    load_events(environment, "load 5")
    assert fetch_gaps(environment)[0]["closed_at"] is None
    import_export_files("long enough", [before - timedelta(days=1)], [after + timedelta(minutes=30)])
    load_events(environment, "load 6")
    assert fetch_gaps(environment)[0]["closed_at"] is not None


def test_plays_that_wait_for_their_load_make_no_gap(environment: MockApiEnvironment) -> None:
    """Fetch before earlier plays are loaded: plays in a response count, loaded or not."""
    for number in range(4):
        environment.night(number)
        fetch_plays(FIRST_ACCOUNT, f"look {number}", environment.settings, False)
    assert fetch_gaps(environment) == []


def test_who_must_sign_in_is_said_and_the_others_go_on(environment: MockApiEnvironment) -> None:
    with pytest.raises(MustSignInError):
        fetch_plays("nobody", "look", environment.settings, False)
    assert environment.fetched("look", "recently_played-nobody")["state"] == "must_sign_in"
    assert fetch_plays(SECOND_ACCOUNT, "look", environment.settings, False)["state"] == "done"
