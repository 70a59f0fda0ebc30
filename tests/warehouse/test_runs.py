"""What the audit says of runs that were cut short, and of Kaggle files that come back."""

from datetime import UTC, datetime, timedelta

from etl import warehouse
from etl.load import Run, RunInput
from etl.load.run import record_published, record_start
from tests.load.star_frames import table

NOW = datetime(2026, 11, 1, 3, tzinfo=UTC)


def run(run_id: str, *input_ids: str, origin: str = "kaggle", job: str = "nightly_refresh") -> Run:
    inputs = tuple(RunInput(input_id, origin, "x.csv", "tracks_by_genre", 1) for input_id in input_ids)
    return Run(run_id, job, NOW, NOW.date(), inputs)


def publish(url: str, published: Run) -> None:
    with warehouse.connect(url) as connection:
        record_start(connection, published)
        record_published(connection, published)


def test_a_run_that_was_cut_short_has_failed_until_it_is_done_again(warehouse_url: str) -> None:
    def said() -> dict[str, tuple[str, str | None]]:
        found = table(warehouse_url, "select run_id, result, message from audit.run")
        return {row["run_id"]: (row["result"], row["message"]) for row in found}

    publish(warehouse_url, run("published"))
    with warehouse.connect(warehouse_url) as connection:
        for name in ("cut short", "at work elsewhere"):
            record_start(connection, run(name))
    with warehouse.connect(warehouse_url) as connection:
        warehouse.record_cut_short(connection, ["published", "cut short", "never begun"], "Cut short.")
    others = {"published": ("published", None), "at work elsewhere": ("running", None)}
    assert said() == {**others, "cut short": ("failed", "Cut short.")}
    with warehouse.connect(warehouse_url) as connection:
        record_start(connection, run("cut short"))
    assert said() == {**others, "cut short": ("running", None)}
    publish(warehouse_url, run("cut short"))
    assert said() == {**others, "cut short": ("published", None)}


def test_files_are_known_by_the_newest_run_and_answers_by_any(warehouse_url: str) -> None:
    def known() -> set[str]:
        with warehouse.connect(warehouse_url) as connection:
            return warehouse.published_inputs(connection)

    publish(warehouse_url, run("1", "first version", "another"))
    publish(warehouse_url, run("2", "second version", "another"))
    publish(warehouse_url, run("3", "an answer", origin="api"))
    publish(warehouse_url, run("4", job="forget_user"))
    publish(warehouse_url, run("5", "a feed", origin="feed", job=warehouse.EVENT_JOB))
    with warehouse.connect(warehouse_url) as connection:
        record_start(connection, run("6", "first version"))
        warehouse.record_failure(connection, "6", "nightly_refresh", NOW + timedelta(days=1), "It failed.")
    assert known() == {"second version", "another", "an answer"}
