"""The reason of a failed task, from its log in Airflow."""

from datetime import datetime
from typing import Any

import pytest

from launch.airflow_api import AirflowApi, TaskState

BEGAN, STARTED = "2026-11-20T03:00:00+00:00", "2026-11-20T03:00:05+00:00"
FAILED = TaskState("import_file", 0, "a.zip", "failed", 1, 1.0)
OURS = {"exc_type": "WrongFileError", "exc_value": "a.zip: the packed file is broken or locked.", "is_cause": False}
CAUSE = {"exc_type": "BadZipFile", "exc_value": "File is not a zip file", "is_cause": True}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([{"level": "error", "event": "Task failed with exception", "error_detail": [OURS, CAUSE]}], OURS["exc_value"]),
        (
            [
                {"level": "warning", "event": "handled", "error_detail": [CAUSE]},
                {"level": "error", "event": "Task failed with exception", "error_detail": [OURS]},
                {"level": "error", "event": "import_file has failed: a.zip"},
            ],
            OURS["exc_value"],
        ),
        (["plain text", {"level": "error", "event": "The worker was killed."}], "The worker was killed."),
        ([{"level": "info", "event": "all is well"}], ""),
    ],
)
def test_a_task_says_what_was_raised_and_not_what_caused_it(
    monkeypatch: pytest.MonkeyPatch, lines: list[object], words: str
) -> None:
    monkeypatch.setattr(AirflowApi, "_send_request", lambda *_, **__: {"content": lines})
    assert (
        AirflowApi("http://127.0.0.1:1", "admin", "none").find_failure_reason("kaggle_import", "run", FAILED) == words
    )


def test_runs_that_were_cut_short_are_told_of_before_airflow_forgets_that_they_ran(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[object] = []
    runs = [{"dag_id": "load_events", "dag_run_id": f"manual {number}", "queued_at": BEGAN} for number in range(130)]
    runs[1]["start_date"] = STARTED

    def ask(_: AirflowApi, method: str, path: str, **options: Any) -> dict[str, Any]:
        if method == "PATCH":
            done.append(path)
            return {}
        offset = options["params"]["offset"]
        return {"dag_runs": runs[offset : offset + 100], "total_entries": len(runs)}

    monkeypatch.setattr(AirflowApi, "_send_request", ask)
    assert AirflowApi("http://127.0.0.1:1", "admin", "none").mark_unfinished_runs_failed(done.append) == 130
    first_reported, *marked, last_reported = done
    assert isinstance(first_reported, list) and len(first_reported) == 130 and last_reported == first_reported
    assert [first_reported[0].audit_id, first_reported[0].started_at] == [
        "load_events.manual 0",
        datetime.fromisoformat(BEGAN),
    ]
    assert first_reported[1].started_at == datetime.fromisoformat(STARTED)
    assert marked == [f"/dags/load_events/dagRuns/manual {number}" for number in range(130)]
