"""The import of an account export as a task does it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from etl.errors import ActionNeededError
from etl.jobs.account_import import import_export
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from tests.exports import AUDIO, folder_of, play
from tests.load.star_frames import table

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def made_settings(tmp_path: Path, url: str = "postgresql://nobody@127.0.0.1:1/none") -> Settings:
    return read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": url})


def test_an_import_says_what_it_brought_and_left_out(tmp_path: Path) -> None:
    chosen = made_settings(tmp_path)
    place = folder_of(tmp_path / "export", **{AUDIO: [play()], "Userdata.json": {}})
    told = import_export(str(place), "ada", "Europe/Berlin", chosen, NOW)
    (received,) = Lake(chosen.lake_url).inputs.find_inputs(["account_export"])
    assert told == {
        "inputs": [
            {
                "name": "extended_export.jsonl.gz",
                "format": "extended_export",
                "row_count": 1,
                "input_id": received.input_id,
            }
        ],
        "files_read": 1,
        "files_left_out": ["Userdata.json"],
        "fields_left_out": ["ip_addr"],
    }


def test_the_audit_keeps_the_sentence_of_a_failure_until_a_later_try_succeeds(
    tmp_path: Path, warehouse_url: str
) -> None:
    chosen, place = made_settings(tmp_path, warehouse_url), tmp_path / "export"
    with pytest.raises(ActionNeededError, match="no such file"):
        import_export(str(place), "ada", "UTC", chosen, NOW, run_id="account_import.1")
    (line,) = table(warehouse_url, "select * from audit.run")
    assert line["run_id"] == "account_import.1" and "no such file" in str(line)
    folder_of(place, **{AUDIO: [play()]})
    import_export(str(place), "ada", "UTC", chosen, NOW, run_id="account_import.1")
    assert table(warehouse_url, "select from audit.run") == []
