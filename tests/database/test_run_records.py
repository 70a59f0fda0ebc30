"""The audit of interrupted runs, and of Kaggle files that are imported again."""

from datetime import UTC, datetime, timedelta

import pytest

from etl import database
from etl.database.run_records import record_published, record_start
from etl.errors import ActionNeededError, TryAgainError
from etl.jobs import run_audit
from etl.load import Run, RunInput
from etl.settings import read_settings
from tests.load.star_frames import select_rows

NOW = datetime(2026, 11, 1, 3, tzinfo=UTC)


def make_run(run_id: str, *input_ids: str, origin: str = "kaggle", job: str = "nightly_refresh") -> Run:
    inputs = tuple(RunInput(input_id, origin, "x.csv", "tracks_by_genre", 1) for input_id in input_ids)
    return Run(run_id, job, NOW, NOW.date(), inputs)


def publish_run(url: str, published: Run) -> None:
    with database.connect(url) as connection:
        record_start(connection, published)
        record_published(connection, published)


def fetch_results(url: str) -> dict[str, tuple[str, str | None]]:
    rows = select_rows(url, "select run_id, result, message from audit.run")
    return {row["run_id"]: (row["result"], row["message"]) for row in rows}


def test_a_run_that_was_ended_from_outside_has_failed_until_it_is_done_again(warehouse_url: str) -> None:
    names = ("published", "running", "nothing new", "failed", "never begun")
    publish_run(warehouse_url, make_run("published"))
    with database.connect(warehouse_url) as connection:
        for name in ("running", "at work elsewhere"):
            record_start(connection, make_run(name))
        database.record_nothing_new(connection, "nothing new", "nightly_refresh", NOW)
        database.record_failure(connection, "failed", "nightly_refresh", NOW, "A check failed.")
    with database.connect(warehouse_url) as connection:
        for name in names:
            database.record_external_failure(connection, name, "nightly_refresh", NOW, "Cut short.")
    other_results = {"published": ("published", None), "at work elsewhere": ("running", None)}
    other_results["failed"] = ("failed", "A check failed.")
    cut_short = dict.fromkeys(("running", "nothing new", "never begun"), ("failed", "Cut short."))
    assert fetch_results(warehouse_url) == {**other_results, **cut_short}
    (line,) = select_rows(
        warehouse_url, "select job, started_at, finished_at from audit.run where run_id = 'never begun'"
    )
    assert (line["job"], line["started_at"]) == ("nightly_refresh", NOW) and line["finished_at"] > NOW
    with database.connect(warehouse_url) as connection:
        record_start(connection, make_run("running"))
    assert fetch_results(warehouse_url)["running"] == ("running", None)
    publish_run(warehouse_url, make_run("running"))
    publish_run(warehouse_url, make_run("never begun"))
    assert fetch_results(warehouse_url) == {
        **other_results,
        "running": ("published", None),
        "nothing new": ("failed", "Cut short."),
        "never begun": ("published", None),
    }


def test_a_run_that_was_cut_short_says_so_though_it_was_then_marked_as_failed(warehouse_url: str) -> None:
    chosen = read_settings({"WAREHOUSE_URL": warehouse_url})
    with database.connect(warehouse_url) as connection:
        database.record_failure(connection, "its own", "nightly_refresh", NOW, "A check failed.")
    run_audit.record_failed_run("cut", "nightly_refresh", NOW, database.MARKED_FAILED_MESSAGE, chosen)
    for name in ("cut", "its own"):
        run_audit.record_failed_run(name, "nightly_refresh", NOW, database.INTERRUPTED_MESSAGE, chosen)
    expected = {"cut": ("failed", database.INTERRUPTED_MESSAGE), "its own": ("failed", "A check failed.")}
    assert fetch_results(warehouse_url) == expected


@pytest.mark.parametrize("message", database.EXTERNAL_END_MESSAGES)
def test_a_job_that_outlives_its_run_neither_says_so_nor_publishes(warehouse_url: str, message: str) -> None:
    """Mark a run as failed before its job records its start, or while the job is at work; the job survives."""
    chosen = read_settings({"WAREHOUSE_URL": warehouse_url})
    with database.connect(warehouse_url) as connection:
        record_start(connection, make_run("at work"))
        database.record_failure(connection, "tried again", "nightly_refresh", NOW, "A check failed.")
    names = ("at work", "not begun", "tried again")
    for name in names:
        run_audit.record_failed_run(name, "nightly_refresh", NOW, message, chosen)
        for late in (record_start, record_published):
            with pytest.raises(ActionNeededError), database.connect(warehouse_url) as connection:
                late(connection, make_run(name))
        with database.connect(warehouse_url) as connection:
            database.record_nothing_new(connection, name, "nightly_refresh", NOW)
            database.record_failure(connection, name, "nightly_refresh", NOW, "It was killed.")
    assert fetch_results(warehouse_url) == dict.fromkeys(names, ("failed", message))
    for name in names:
        run_audit.record_started_run(name, chosen)
        publish_run(warehouse_url, make_run(name))
    assert fetch_results(warehouse_url) == dict.fromkeys(names, ("published", None))


def test_a_run_that_ends_well_after_all_has_no_failure_left(warehouse_url: str) -> None:
    chosen = read_settings({"WAREHOUSE_URL": warehouse_url})
    run_audit.record_failed_run("kaggle_import.1", "kaggle_import", NOW, "Marked as failed.", chosen)
    publish_run(warehouse_url, make_run("nightly_refresh.1"))
    assert fetch_results(warehouse_url)["kaggle_import.1"] == ("failed", "Marked as failed.")
    for name in ("kaggle_import.1", "nightly_refresh.1", "never heard of"):
        run_audit.clear_run_failure(name, chosen)
    assert fetch_results(warehouse_url) == {"nightly_refresh.1": ("published", None)}


def test_who_notes_a_failure_does_not_wait_for_a_job_that_is_at_work_on_the_line(warehouse_url: str) -> None:
    chosen = read_settings({"WAREHOUSE_URL": warehouse_url})
    with database.connect(warehouse_url) as connection:
        record_start(connection, make_run("1"))
    with database.connect(warehouse_url) as connection:
        record_published(connection, make_run("1"))
        with pytest.raises(TryAgainError, match="lock timeout"):
            run_audit.record_failed_run("1", "nightly_refresh", NOW, "Marked as failed.", chosen)


def test_files_are_known_by_the_newest_run_and_answers_by_any(warehouse_url: str) -> None:
    def list_known_inputs() -> set[str]:
        with database.connect(warehouse_url) as connection:
            return database.list_published_input_ids(connection)

    publish_run(warehouse_url, make_run("1", "first version", "another"))
    publish_run(warehouse_url, make_run("2", "second version", "another"))
    publish_run(warehouse_url, make_run("3", "an answer", origin="api"))
    publish_run(warehouse_url, make_run("4", job="forget_user"))
    publish_run(warehouse_url, make_run("5", "a feed", origin="feed", job=database.EVENT_LOAD_JOB))
    with database.connect(warehouse_url) as connection:
        record_start(connection, make_run("6", "first version"))
        database.record_failure(connection, "6", "nightly_refresh", NOW + timedelta(days=1), "It failed.")
    assert list_known_inputs() == {"second version", "another", "an answer"}
