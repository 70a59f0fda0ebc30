"""Recently played tracks: asked, loaded once, and gaps noticed and closed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.errors import MustSignInError
from etl.jobs import events, spotify
from etl.jobs.account_import import import_export
from etl.jobs.recently_played import fetch_plays
from tests.exports import AUDIO, folder_of, play
from tests.extract.spotify.nights import lines_of
from tests.jobs.spotify_place import ADA, OTHER, STILL, Place, place

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("one_session")]

FIRST_DAY = datetime.now(UTC).date() - timedelta(days=9)


@pytest.fixture
def here(tmp_path: Path, warehouse_url: str, stock: Path) -> Iterator[Place]:
    with place(tmp_path / "state", warehouse_url, stock, f"first_day = {FIRST_DAY}\n{STILL}") as running:
        running.night(0)
        yield running


def load(here: Place, run_id: str) -> dict[str, int]:
    assert events.plan_events(run_id, here.settings)
    return events.load_events(run_id, date(2026, 11, 21), here.settings)


def plays(here: Place) -> list[dict[str, Any]]:
    return here.rows(
        "select event_time, started_at, ended_at from warehouse.fact_event"
        " where source = 'recently_played' order by event_time"
    )


def gaps(here: Place) -> list[dict[str, Any]]:
    return here.rows("select * from audit.gap order by user_id, gap_from")


def test_a_look_without_news_keeps_nothing(here: Place) -> None:
    assert fetch_plays(ADA, "look 1", here.settings, False) == {
        **{"account": ADA, "state": "done", "plays": 50, "has_gap": False}
    }
    line = here.fetched("look 1", f"recently_played-{ADA}")
    (received,) = here.lake.inputs.find_inputs(["api"])
    assert (line["input_id"], line["calls"], line["account"]) == (received.input_id, {"recently_played": 1}, ADA)
    (answer,) = lines_of(received)
    assert "after" not in answer["query"], "the page shows the play that it joins on"
    assert fetch_plays(ADA, "look 2", here.settings, False)["plays"] == 0
    assert fetch_plays(ADA, "look 1", here.settings, False)["plays"] == 50, "run again it brings the same"
    assert len(here.lake.inputs.find_inputs(["api"])) == 1 and gaps(here) == []
    assert spotify.fetch_account(ADA, "night", here.settings, False)["playlists_changed"] == 12


def test_plays_are_loaded_once_and_a_gap_is_closed_by_an_export(here: Place, tmp_path: Path) -> None:
    fetch_plays(ADA, "look 1", here.settings, False)
    assert load(here, "load 1") == {"fact_event": 50}
    first = plays(here)
    assert all(row["started_at"] is None and row["ended_at"] is None for row in first)
    here.night(1)
    assert not fetch_plays(ADA, "look 2", here.settings, False)["has_gap"]
    added = load(here, "load 2")["fact_event"]
    sums = here.rows("select rows_in, rows_loaded, rows_duplicate from audit.row_count where run_id = 'load 2'")
    assert sums == [{"rows_in": 50, "rows_loaded": added, "rows_duplicate": 50 - added}] and 0 < added < 50

    before = max(row["event_time"] for row in plays(here))
    here.night(6)
    assert fetch_plays(ADA, "look 3", here.settings, False)["has_gap"]
    assert load(here, "load 3") == {"fact_event": 50}
    after = min(row["event_time"] for row in plays(here) if row["event_time"] > before)
    (gap,) = gaps(here)
    user_id = here.accounts.get_account(ADA).account_id
    assert {name: gap[name] for name in ("user_id", "gap_from", "gap_to", "run_id", "closed_at")} == {
        **{"user_id": user_id, "gap_from": before, "gap_to": after, "run_id": "look 3", "closed_at": None}
    }

    def export(name: str, *files: list[datetime]) -> None:
        """Import an export of some files, each with plays of its own."""
        records = {
            AUDIO.replace("_0", f"_{number}"): [play(ts=moment.strftime("%Y-%m-%dT%H:%M:%SZ")) for moment in moments]
            for number, moments in enumerate(files)
        }
        folder = folder_of(tmp_path / name, **records)
        import_export(str(folder), user_id, "Europe/Berlin", here.settings, datetime.now(UTC))

    export("too short", [before - timedelta(days=1), before + timedelta(hours=1)])
    load(here, "load 4")
    assert gaps(here)[0]["closed_at"] is None
    export("another's beginning", [after + timedelta(minutes=30)])
    load(here, "load 5")
    assert gaps(here)[0]["closed_at"] is None
    export("long enough", [before - timedelta(days=1)], [after + timedelta(minutes=30)])
    load(here, "load 6")
    assert gaps(here)[0]["closed_at"] is not None


def test_plays_that_wait_for_their_load_make_no_gap(here: Place) -> None:
    """The star lags behind: what an answer showed counts, loaded or not."""
    for number in range(4):
        here.night(number)
        fetch_plays(ADA, f"look {number}", here.settings, False)
    assert gaps(here) == []


def test_who_must_sign_in_is_said_and_the_others_go_on(here: Place) -> None:
    with pytest.raises(MustSignInError):
        fetch_plays("nobody", "look", here.settings, False)
    assert here.fetched("look", "recently_played-nobody")["state"] == "must_sign_in"
    assert fetch_plays(OTHER, "look", here.settings, False)["state"] == "done"
