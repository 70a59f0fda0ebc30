"""A run of the forecasts: planned from the marts, published once, and without a trace of a forgotten user."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.database import connect
from etl.errors import ActionNeededError, CheckFailedError, EtlError, TryAgainError
from etl.jobs import erasure, forecasts, maintenance
from etl.jobs.forecasts import ForecastOptions, ForecastPlan
from etl.settings import ForecastSettings, Settings, read_settings
from etl.storage.arrow_files import read_table
from etl.storage.forecast_files import ForecastFiles
from forecasting import run as program
from forecasting.settings import Settings as ProgramSettings
from forecasting.validation import count_least_steps
from launch import forecast as command
from launch import postgres
from tests.conftest import copy_database
from tests.forecasting.series import TOTAL, draw_counts, make_panel
from tests.jobs.forecast_history import (
    AS_OF,
    FIRST_DAY,
    KNOWN_AT,
    fill_warehouse,
    make_listening,
    record_daily_feeds,
    write_results,
)
from tests.load.star_frames import select_rows
from tests.marts.listening import fill_dimensions, insert_events, rebuild

NEXT_DAY = KNOWN_AT + timedelta(days=1)
_TEXTS = """
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname in ('staging', 'warehouse', 'mart', 'live', 'audit', 'simulation') and c.relkind in ('r', 'p')
        and not c.relispartition
"""


@pytest.fixture(scope="module")
def filled_template(embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    """Yield the name of a database with four months of listening, from which others are copied."""
    with copy_database(embedded_server, migrated_template) as url:
        fill_warehouse(url, last=AS_OF + timedelta(days=2))
        name = url.rsplit("/", 1)[1]
        yield name


@pytest.fixture
def settings(
    embedded_server: postgres.Server, filled_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Yield settings with a copy of that warehouse; the environment of the program counts as made."""
    monkeypatch.setattr(forecasts, "ensure_environment", lambda _: None)
    with copy_database(embedded_server, filled_template) as url:
        yield read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": url})


def plan(
    settings: Settings,
    run_id: str,
    known_at: datetime = KNOWN_AT,
    is_requested: bool = False,
    **options: Any,
) -> ForecastPlan:
    return forecasts.plan_forecast(run_id, ForecastOptions(**options), known_at, is_requested, settings)


def run(settings: Settings, run_id: str, known_at: datetime = KNOWN_AT, **options: Any) -> dict[str, int]:
    folder = plan(settings, run_id, known_at, is_requested=True, **options).folder
    assert folder is not None
    write_results(folder)
    return forecasts.load_forecast(run_id, settings)


def rows(settings: Settings, statement: str) -> list[dict[str, Any]]:
    return select_rows(settings.warehouse_url, statement)


def count(settings: Settings, table: str) -> int:
    return int(rows(settings, f"select count(*) as n from {table}")[0]["n"])


def test_a_run_publishes_its_forecasts_with_what_they_were_made_of(settings: Settings) -> None:
    run_id = "forecast.manual__2026-04-02T06:00:00+00:00"  # as Airflow names it
    planned = plan(settings, run_id)
    assert planned.folder is not None and "training for the first time" in planned.message
    request = json.loads((planned.folder / "request.json").read_text())
    assert request["as_of_date"] == "2026-03-31" and request["horizons"] == {"day": 28, "week": 8}
    assert (request["seed"], request["is_training_due"], request["champions"]) == (7, True, [])
    assert planned.folder.stat().st_mode & 0o077 == 0
    write_results(planned.folder)
    counts = forecasts.load_forecast(run_id, settings)
    assert counts["forecast"] == count(settings, "mart.forecast") > 1000
    assert counts["series"] == count(settings, "mart.forecast_series")
    (run_row,) = rows(settings, "select * from audit.forecast_run")
    assert (run_row["as_of_date"], run_row["is_training"], run_row["model_path"]) == (
        AS_OF,
        True,
        f"forecasts/{run_id}",
    )
    assert run_row["versions"] == {"numpy": "2"} and run_row["seconds"] == {"all": 1.5}
    assert (settings.state_dir / "lake" / "forecasts" / run_id / "day.weights").read_bytes() == b"weights"
    assert not planned.folder.exists()
    assert rows(settings, "select distinct naive is null as is_null from mart.forecast order by 1") == [
        {"is_null": False},
        {"is_null": True},
    ]
    assert rows(settings, "select distinct level from mart.anomalous_day") == [{"level": "total"}]
    assert rows(settings, "select result, job from audit.run where job = 'forecast'") == [
        {"result": "published", "job": "forecast"}
    ]
    again = plan(settings, run_id)
    assert again.folder is None and "already published" in again.message
    planned.folder.mkdir()  # as a load leaves it that is killed after its commit
    assert forecasts.load_forecast(run_id, settings) == {}
    assert not planned.folder.exists()


def test_later_runs_add_forecasts_and_the_accuracy_shows_what_came(settings: Settings) -> None:
    run(settings, "r1", KNOWN_AT - timedelta(days=2))
    assert count(settings, "mart.forecast_accuracy") == 0
    before = count(settings, "mart.forecast")
    later = plan(settings, "r2", KNOWN_AT)
    assert later.folder is not None and "with the models of 2026-03-29" in later.message
    request = json.loads((later.folder / "request.json").read_text())
    assert not request["is_training_due"] and {row["model"] for row in request["champions"]} == {"last"}
    assert [path.name for path in Path(request["models_folder"]).iterdir()] == ["day.weights"]
    write_results(later.folder)
    forecasts.load_forecast("r2", settings)
    assert count(settings, "mart.forecast") > before and count(settings, "audit.forecast_run") == 2
    accuracy = rows(
        settings,
        "select * from mart.forecast_accuracy where metric = 'sessions' and grain = 'day' and level = 'total'"
        " order by target_date",
    )
    assert [(row["as_of_date"], row["target_date"], row["horizon"]) for row in accuracy] == [
        (date(2026, 3, 29), date(2026, 3, 30), 1),
        (date(2026, 3, 29), date(2026, 3, 31), 2),
    ]
    actual = rows(
        settings,
        "select sum(sessions) as value from mart.daily_engagement"
        " where local_date between '2026-03-30' and '2026-03-31' group by local_date order by local_date",
    )
    assert [row["value"] for row in accuracy] == [float(row["value"]) for row in actual]
    for row in accuracy:
        assert row["error"] == row["value"] - row["q50"]
        assert row["is_in_80"] == (row["q10"] <= row["value"] <= row["q90"])


def test_of_several_runs_of_a_day_the_last_one_counts(settings: Settings) -> None:
    for run_id in ("r1", "r2"):
        run(settings, run_id, KNOWN_AT - timedelta(days=2))
    run(settings, "r3")
    assert rows(settings, "select distinct run_id from mart.forecast_accuracy") == [{"run_id": "r2"}]


def test_a_run_of_some_levels_leaves_the_others_alone(settings: Settings) -> None:
    run(settings, "r1")
    before = rows(settings, "select level, count(*) from mart.forecast_series group by 1 order by 1")
    planned = plan(settings, "r2", is_requested=True, levels=("total",), seed=3, horizon_days=7)
    assert planned.folder is not None
    assert set(read_table(str(planned.folder / "series.arrow"))["level"].to_pylist()) == {"total"}
    write_results(planned.folder)
    forecasts.load_forecast("r2", settings)
    assert rows(settings, "select level, count(*) from mart.forecast_series group by 1 order by 1") == before
    assert rows(settings, "select distinct level, max(horizon) from mart.forecast where run_id = 'r2' group by 1") == [
        {"level": "total", "max": 8}
    ]


def test_an_older_run_that_is_loaded_late_leaves_the_newer_values(settings: Settings) -> None:
    older = plan(settings, "older", KNOWN_AT - timedelta(days=2)).folder
    newer = plan(settings, "newer", levels=("total", "listener")).folder
    assert older is not None and newer is not None
    for folder in (older, newer):
        write_results(folder)
    forecasts.load_forecast("newer", settings)
    forecasts.load_forecast("older", settings)
    assert rows(
        settings,
        "select level, max(target_date) from mart.forecast_series where grain = 'day'"
        " and level in ('total', 'plan', 'listener') group by 1 order by 1",
    ) == [
        {"level": "listener", "max": AS_OF},
        {"level": "plan", "max": AS_OF - timedelta(days=2)},
        {"level": "total", "max": AS_OF},
    ]
    assert rows(settings, "select distinct run_id, target_date from mart.anomalous_day") == [
        {"run_id": "newer", "target_date": AS_OF}
    ]
    assert rows(settings, "select distinct run_id from mart.forecast where level = 'total' order by 1") == [
        {"run_id": "newer"},
        {"run_id": "older"},
    ]


def test_forecasts_of_the_excluded_vanish_with_the_next_run(settings: Settings) -> None:
    run(settings, "r1", KNOWN_AT - timedelta(days=2))
    rows(
        settings,
        "insert into warehouse.exclusion (kind, id)"
        " select 'user', 'u3' union all select 'artist', artist_id from warehouse.dim_artist where artist_key = 2"
        " returning 1",
    )
    run(settings, "r2", levels=("total",))
    for table in ("forecast", "forecast_series", "forecast_refusal"):
        segments = {
            (row["level"], row["segment"]) for row in rows(settings, f"select level, segment from mart.{table}")
        }
        assert {("listener", "u2"), ("artist", "1")} < segments
        assert not segments & {("listener", "u3"), ("artist", "2")}


def test_training_is_due_when_asked_for_after_a_week_and_where_models_are_missing(settings: Settings) -> None:
    run(settings, "r1", KNOWN_AT - timedelta(days=2))
    assert "with the models of" in plan(settings, "r2").message
    assert "as requested" in plan(settings, "r3", is_retraining=True).message
    short = replace(settings, forecast=ForecastSettings(training_days=2))
    assert "the last one was as of 2026-03-29" in plan(short, "r4").message
    ForecastFiles(settings.state_dir, settings.lake_url).drop_all()
    assert "models were removed" in plan(settings, "r5").message


@pytest.mark.parametrize("options", [{"levels": ("total",)}, {"horizon_weeks": 12}, {"horizon_days": 7}])
def test_a_single_run_of_other_levels_or_horizons_does_not_replace_the_models(
    settings: Settings, options: dict[str, Any]
) -> None:
    run(settings, "daily", KNOWN_AT - timedelta(days=2))
    run(settings, "other", KNOWN_AT - timedelta(days=1), is_retraining=True, **options)
    planned = plan(settings, "next day")
    assert planned.folder is not None and "with the models of 2026-03-29" in planned.message
    request = json.loads((planned.folder / "request.json").read_text())
    assert {row["level"] for row in request["champions"]} > {"total", "artist", "listener"}
    same = plan(settings, "the same", is_requested=True, **options)
    assert "with the models of 2026-03-30" in same.message


@pytest.mark.parametrize("options", [{"levels": ("total",)}, {"horizon_weeks": 12}, {"horizon_days": 7}])
def test_models_that_do_not_cover_a_run_are_trained_again(settings: Settings, options: dict[str, Any]) -> None:
    run(settings, "other", KNOWN_AT - timedelta(days=2), **options)
    planned = plan(settings, "daily")
    assert "training for the first time with these levels and horizons" in planned.message
    assert planned.folder is not None
    assert json.loads((planned.folder / "request.json").read_text())["is_training_due"]


def test_maintenance_deletes_old_forecasts_scores_and_models(settings: Settings) -> None:
    for number in range(9):
        run(settings, f"r{number}", is_retraining=True)
    run(settings, "other", levels=("total",), is_retraining=True)
    models = settings.state_dir / "lake" / "forecasts"
    now = KNOWN_AT + timedelta(days=500)
    for path in models.rglob("*.weights"):
        os.utime(path, (KNOWN_AT.timestamp(), KNOWN_AT.timestamp()))
    rows(settings, "update mart.forecast set made_at = '2026-04-02' where run_id = 'r1' returning 1")
    segments = count(settings, "mart.forecast where run_id = 'r1' and level not in ('artist', 'listener')")
    others = count(settings, "mart.forecast where run_id <> 'r1'")
    assert maintenance.sweep_warehouse(settings, 30, now)
    assert count(settings, "mart.forecast where run_id = 'r1'") == segments > 0
    assert count(settings, "mart.forecast where run_id <> 'r1'") == others
    assert [row["run_id"] for row in rows(settings, "select distinct run_id from mart.forecast_score order by 1")] == [
        "other",
        *(f"r{number}" for number in range(2, 9)),
    ]
    maintenance.sweep_lake(settings, 30, now)
    assert sorted(path.name for path in models.iterdir()) == ["other", "r8"]
    assert "with the models of" in plan(settings, "next", is_requested=True).message


def test_too_short_a_history_is_refused_in_words_before_anything_is_made(
    warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise AssertionError("The environment is not needed.")

    monkeypatch.setattr(forecasts, "ensure_environment", fail)
    settings = read_settings({"STATE_DIR": str(tmp_path), "WAREHOUSE_URL": warehouse_url})
    assert not forecasts.is_forecast_due(settings, KNOWN_AT)
    assert plan(settings, "r0").message.startswith("Not enough history: 0 of 112 days are known.")
    with connect(warehouse_url) as connection:
        fill_dimensions(connection)
        insert_events(connection, make_listening(FIRST_DAY, FIRST_DAY + timedelta(days=4)))
    rebuild(warehouse_url)
    record_daily_feeds(warehouse_url, FIRST_DAY, FIRST_DAY + timedelta(days=4))
    assert not forecasts.is_forecast_due(settings, KNOWN_AT)
    refused = plan(settings, "r1", is_requested=True)
    assert refused.folder is None and refused.message.startswith("Not enough history: 3 of 112 days are known.")
    assert rows(settings, "select result from audit.run where run_id = 'r1'") == [{"result": "nothing_new"}]
    assert not (tmp_path / "forecasting").exists()


def test_a_run_is_due_once_a_day_where_a_day_was_completed(settings: Settings) -> None:
    assert forecasts.is_forecast_due(settings, KNOWN_AT)
    rows(settings, f"update audit.run set started_at = '{KNOWN_AT}' where job = 'build_marts' returning 1")
    assert not forecasts.is_forecast_due(settings, KNOWN_AT + timedelta(hours=1)), "the day of the first build"
    assert forecasts.is_forecast_due(settings, KNOWN_AT + timedelta(days=1))
    run(settings, "r1", KNOWN_AT)
    assert not forecasts.is_forecast_due(settings, datetime.now(UTC)), "one has run today"
    nothing = plan(settings, "r2")
    assert nothing.folder is None and nothing.message.startswith("Nothing new: the forecasts know all days until")
    rows(settings, "update audit.run set started_at = '2026-04-01' where job = 'forecast' returning 1")
    assert not forecasts.is_forecast_due(settings, KNOWN_AT + timedelta(hours=5)), "1 April is not over in Hawaii"
    assert forecasts.is_forecast_due(settings, KNOWN_AT + timedelta(hours=6))
    rows(
        settings,
        "update audit.run set started_at = '2026-04-02', result = 'failed', message = 'm'"
        " where job = 'forecast' returning 1",
    )
    assert not forecasts.is_forecast_due(settings, KNOWN_AT + timedelta(hours=6)), "a failed one is not repeated"


def test_an_unfinished_run_is_not_published_and_can_run_again(settings: Settings) -> None:
    folder = plan(settings, "r1").folder
    assert folder is not None
    with pytest.raises(ActionNeededError, match=r"left no run\.json: they have not ended"):
        forecasts.load_forecast("r1", settings)
    assert rows(settings, "select result from audit.run where run_id = 'r1'") == [{"result": "failed"}]
    write_results(folder)
    assert forecasts.load_forecast("r1", settings)["forecast"]
    assert rows(settings, "select result from audit.run where run_id = 'r1'") == [{"result": "published"}]


def test_a_run_counts_for_the_day_on_which_it_was_planned(settings: Settings) -> None:
    folder = plan(settings, "r1").folder
    assert folder is not None
    write_results(folder)
    rows(settings, "update audit.run set started_at = '2026-04-02 23:50+00' where run_id = 'r1' returning 1")
    forecasts.load_forecast("r1", settings)
    assert rows(settings, "select started_at, reference_date, result from audit.run where run_id = 'r1'") == [
        {
            "started_at": datetime(2026, 4, 2, 23, 50, tzinfo=UTC),
            "reference_date": KNOWN_AT.date(),
            "result": "published",
        }
    ]
    assert forecasts.is_forecast_due(settings, KNOWN_AT + timedelta(days=1)), "the run of the day before is no obstacle"


def test_without_an_environment_the_run_has_failed_and_leaves_no_series(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise TryAgainError("No network.")

    monkeypatch.setattr(forecasts, "ensure_environment", fail)
    with pytest.raises(TryAgainError):
        plan(settings, "r1")
    assert rows(settings, "select result, message from audit.run where run_id = 'r1'") == [
        {"result": "failed", "message": "No network."}
    ]
    assert list((settings.state_dir / "forecasting" / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "exit_code", "words"),
    [(EtlError("Too little memory."), 1, "Too little memory."), (KeyboardInterrupt(), 130, "KeyboardInterrupt: see")],
)
def test_a_command_that_fails_records_it_and_leaves_no_series(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: BaseException, exit_code: int, words: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setenv("WAREHOUSE_URL", settings.warehouse_url)
    monkeypatch.setenv("STATE_DIR", str(settings.state_dir))
    monkeypatch.setattr(forecasts, "run_program", fail)
    assert command.main(["--series", "total"]) == exit_code
    (row,) = rows(settings, "select result, message from audit.run where job = 'forecast'")
    assert row["result"] == "failed" and row["message"].startswith(words)
    assert list((settings.state_dir / "forecasting" / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"segment": "Atlantis"}, "about series that were not requested: sessions by day, continent Atlantis"),
        ({"as_of_date": date(2026, 3, 1)}, "not as of 2026-03-31"),
        ({"q10": 9e9}, r"a q10 above q50, or .*, in sessions by day, continent Europe; sessions by day, listener\."),
        ({"q50": float("nan")}, "not a number, in sessions by day, continent Europe;"),
        ({"q90": float("inf"), "q975": float("inf")}, "not a number, in sessions by day, continent Europe;"),
    ],
)
def test_results_that_were_not_requested_are_not_published(
    settings: Settings, change: dict[str, Any], words: str
) -> None:
    folder = plan(settings, "r1").folder
    assert folder is not None
    write_results(folder)
    wrong = read_table(str(folder / "forecasts.arrow")).to_pylist()
    for level, segment in (("continent", "Europe"), ("listener", "u3")):
        row = {"metric": "sessions", "grain": "day", "level": level, "segment": segment}
        next(found for found in wrong if row.items() <= found.items()).update(change)
    write_results(folder, forecasts=wrong)
    with pytest.raises(CheckFailedError, match=words) as raised:
        forecasts.load_forecast("r1", settings)
    assert "u3" not in str(raised.value), "messages stay in audit.run"
    assert count(settings, "mart.forecast") == count(settings, "audit.forecast_run") == 0


def find_identifier(settings: Settings, word: str) -> list[str]:
    """Return where a word is: files under STATE_DIR, tables, and the planner's statistics."""
    files = [path for path in settings.state_dir.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]
    tables = [
        row["name"]
        for row in rows(settings, _TEXTS)
        if rows(settings, f"select from {row['name']} as t where strpos(t::text, '{word}') > 0 limit 1")
    ]
    return [*map(str, files), *tables]


def test_nothing_about_a_forgotten_user_stays(settings: Settings, embedded_server: postgres.Server) -> None:
    rows(settings, "update warehouse.dim_user set user_id = 'listener-7f3a91' where user_id = 'u3' returning 1")
    run(settings, "r1", KNOWN_AT - timedelta(days=2))
    assert plan(settings, "unfinished").folder
    with connect(settings.warehouse_url) as connection:
        connection.exec_driver_sql("analyze mart.forecast, mart.forecast_series, mart.forecast_refusal")
    found = find_identifier(settings, "listener-7f3a91")
    assert {"mart.forecast", "mart.forecast_series", "mart.forecast_refusal"} < set(found) and any(
        "series.arrow" in place for place in found
    )
    others = "select count(*) as n from mart.forecast where level = 'listener' and segment <> 'listener-7f3a91'"
    before = rows(settings, others)
    assert erasure.forget_user("listener-7f3a91", "forget", settings)["events"]
    assert find_identifier(settings, "listener-7f3a91") == []
    assert rows(settings, others) == before
    samples = rows(
        settings,
        "select tablename from pg_stats where schemaname = 'mart'"
        " and strpos(concat(most_common_vals::text, histogram_bounds::text), 'listener-7f3a91') > 0",
    )
    assert samples == []
    with pytest.raises(ActionNeededError, match="a user was erased meanwhile"):
        forecasts.load_forecast("unfinished", settings)
    retrained = plan(settings, "r2")
    assert retrained.folder is not None and "models were removed" in retrained.message
    assert "listener-7f3a91" not in (retrained.folder / "series.arrow").read_bytes().decode("latin-1")


def test_a_place_where_only_the_forgotten_user_was_vanishes(settings: Settings) -> None:
    run(settings, "r1")
    segments = "select distinct segment from mart.{} where level = 'continent_plan'"
    assert {row["segment"] for row in rows(settings, segments.format("forecast_series"))} > {"South America/premium"}
    for number in (1, 4):
        erasure.forget_user(f"u{number}", f"forget {number}", settings)
    for table in ("forecast", "forecast_series", "forecast_refusal"):
        remaining = {row["segment"] for row in rows(settings, segments.format(table))}
        assert remaining and not [segment for segment in remaining if segment.startswith("South America")], table
    assert count(settings, "mart.forecast where level = 'total'")


def test_the_program_s_own_results_are_published(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the program in this process, with the models that need no other environment."""
    monkeypatch.setattr(program, "fit_network", None)
    folder = plan(settings, "r1").folder
    assert folder is not None
    request = json.loads((folder / "request.json").read_text())
    (folder / "request.json").write_text(json.dumps({**request, "settings": {"most_fitted_series": 0}}))
    program.run_request(folder)
    counts = forecasts.load_forecast("r1", settings)
    groups = {
        (row["metric"], row["grain"], row["level"]) for row in rows(settings, "select * from mart.forecast_series")
    }
    champions = rows(settings, "select * from mart.forecast_champion")
    assert {(row["metric"], row["grain"], row["level"]) for row in champions} == groups
    assert all(row["reason"] for row in champions)
    assert (counts["forecast"] > 0) == any(row["model"] for row in champions)
    assert "with the models of" in plan(settings, "r2", is_requested=True).message


def test_the_least_history_is_that_of_the_program() -> None:
    days = make_panel(draw_counts(7, 5), TOTAL)
    for horizon in (28, 7):
        assert count_least_steps(days, horizon, ProgramSettings()) == forecasts.HISTORY_DAYS + horizon
