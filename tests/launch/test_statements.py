"""bin/decide and bin/leave-out: what they store and print, and what they reject."""

import pytest

from launch import decide, leave_out
from launch.bootstrap import COMMANDS
from tests.load.star_frames import select_rows


@pytest.fixture
def url(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    return warehouse_url


def _execute(url: str, statement: str) -> None:
    select_rows(url, f"with added as ({statement} returning 1) select count(*) from added")


def test_the_commands_are_known() -> None:
    assert COMMANDS["decide"] == ("launch.decide", "requirements.txt", False)
    assert COMMANDS["leave-out"] == ("launch.leave_out", "requirements.txt", False)


def test_a_decision_is_stated_listed_and_taken_back(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    _execute(
        url,
        "insert into warehouse.dim_artist (artist_key, artist_id, name, source)"
        " values (1, 'a1', 'One', 's'), (2, 'a2', 'Two', 's')",
    )
    assert decide.main(["same", "artist", "One", "a2", "--note", "renamed"]) == 0
    assert "Decision 1 holds." in capsys.readouterr().out
    assert decide.main(["different", "artist", "a1", "a2"]) == 1
    assert "by decision 1: they cannot be two" in " ".join(capsys.readouterr().out.split())
    assert decide.main(["--list"]) == 0
    assert "same      artist    a1 a2" in capsys.readouterr().out
    assert decide.main(["--undo", "1"]) == 0
    assert decide.main(["--undo", "1"]) == 1
    assert decide.main(["--list"]) == 0
    assert "No decision holds." in capsys.readouterr().out
    assert decide.main(["same", "artist"]) == 1
    assert select_rows(url, "select note, revoked_by = session_user as mine from warehouse.match_decision") == [
        {"note": "renamed", "mine": True}
    ]


def test_an_exclusion_is_stated_listed_and_taken_back(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    _execute(
        url,
        "insert into warehouse.dim_user (user_key, user_id, source, valid_from) values (1, 'u1', 'feed', '-infinity')",
    )
    assert leave_out.main(["u1", "--private-sessions", "--device", "TABLET", "--until", "2026-01-31"]) == 0
    assert "Exclusion 1 holds." in capsys.readouterr().out
    assert leave_out.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert "u1  device_type TABLET, is_private_session True, last_date 2026-01-31" in listed
    assert leave_out.main(["u1"]) == 1
    assert "needs a condition" in capsys.readouterr().out
    assert leave_out.main(["u2", "--private-sessions"]) == 1
    assert "u2" in capsys.readouterr().out
    assert leave_out.main(["--undo", "1"]) == 0
    assert leave_out.main(["--list"]) == 0
    assert "No exclusion holds." in capsys.readouterr().out
    with pytest.raises(SystemExit):
        leave_out.main(["u1", "--device", "FRIDGE"])
