"""bin/describe-taste: what it prints, and what it rejects."""

import json
from pathlib import Path

import pytest

from etl.database import connect
from launch import describe_taste
from launch.bootstrap import COMMANDS
from tests.marts.listening import fill_dimensions, insert_events, make_events, rebuild


def test_the_command_is_known() -> None:
    assert COMMANDS["describe-taste"] == ("launch.describe_taste", "requirements.txt", False)


def test_a_text_with_its_figures(
    tmp_path: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.delenv("TASTE_TEXT_URL", raising=False)
    with connect(warehouse_url) as connection:
        fill_dimensions(connection)
        insert_events(connection, make_events(3, size=400))
    rebuild(warehouse_url)
    assert describe_taste.main(["u1", "--figures"]) == 0
    text, *lines = capsys.readouterr().out.splitlines()
    assert text.startswith("In 2026 you played ") and "2025, " in text
    statements = [json.loads(line) for line in lines]
    assert statements[0]["kind"] == "amount" and all(statement["figures"] for statement in statements)
    assert describe_taste.main(["u1", "--year", "2025"]) == 0
    assert capsys.readouterr().out.startswith("In 2025 you played ")
    for arguments, message in (
        (["nobody"], "The marts have no plays of nobody: look"),
        (["u1", "--year", "1999"], "no plays of u1 in 1999"),
        (["u1", "--language-model"], "TASTE_TEXT_URL is not set"),
    ):
        assert describe_taste.main(arguments) == 1
        assert message in " ".join(capsys.readouterr().out.split())
