"""bin/export-history: its files, what it prints, and what it rejects."""

from pathlib import Path

import pytest

from launch import export_history
from launch.bootstrap import COMMANDS


def test_the_command_is_known() -> None:
    assert COMMANDS["export-history"] == ("launch.export_history", "requirements.txt", False)


def test_what_cannot_be_exported_says_why(
    tmp_path: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("Dear")
    for arguments, message in (
        (["ada", "--output", str(tmp_path / "out")], "The warehouse has no user ada"),
        (["ada", "--output", str(tmp_path / "full")], "has files that no export wrote"),
        (
            ["ada", "--output", str(tmp_path / "out"), "--since", "2024-02-01", "--until", "2024-01-01"],
            "swap the dates",
        ),
    ):
        assert export_history.main(arguments) == 1
        assert message in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit) as ended:
        export_history.main(["ada", "--output", str(tmp_path / "out"), "--format", "xml"])
    assert ended.value.code == 2
    assert not (tmp_path / "out").exists()
