"""The import of an account export, as a task runs it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from etl.errors import ActionNeededError
from etl.jobs.account_import import import_export
from etl.settings import Settings, read_settings
from etl.storage.lake import Lake
from tests.exports import AUDIO, make_play, write_export_folder
from tests.load.star_frames import select_rows

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def read_test_settings(tmp_path: Path, url: str = "postgresql://nobody@127.0.0.1:1/none") -> Settings:
    return read_settings({"STATE_DIR": str(tmp_path / "state"), "WAREHOUSE_URL": url})


def test_an_import_says_what_it_brought_and_left_out(tmp_path: Path) -> None:
    chosen = read_test_settings(tmp_path)
    export_folder = write_export_folder(tmp_path / "export", **{AUDIO: [make_play()], "Userdata.json": {}})
    result = import_export(str(export_folder), "ada", "Europe/Berlin", chosen, NOW)
    (received,) = Lake(chosen.lake_url).inputs.find_inputs(["account_export"])
    assert result == {
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
    chosen, export_folder = read_test_settings(tmp_path, warehouse_url), tmp_path / "export"
    with pytest.raises(ActionNeededError, match="no such file"):
        import_export(str(export_folder), "ada", "UTC", chosen, NOW, run_id="account_import.1")
    (line,) = select_rows(warehouse_url, "select * from audit.run")
    assert line["run_id"] == "account_import.1" and "no such file" in str(line)
    write_export_folder(export_folder, **{AUDIO: [make_play()]})
    import_export(str(export_folder), "ada", "UTC", chosen, NOW, run_id="account_import.1")
    assert select_rows(warehouse_url, "select from audit.run") == []
