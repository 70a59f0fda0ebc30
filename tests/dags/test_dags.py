"""Every DAG parses, follows the conventions of the project, and continues after optional steps that fail."""

import json
import os
import subprocess
import sys
import sysconfig
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dags.common.pools import get_recently_played_pool, get_spotify_pool
from dags.common.run_dates import compute_fetch_date, compute_reference_date
from etl.engines.forecast_program import get_python_path
from etl.formats.kaggle.file_formats import FORMATS
from etl.formats.tabular import CHOICES
from etl.jobs import marts
from simulator.listeners.parameters import INJECTED_ERROR_KINDS
from tests.forecasting.series import TOTAL, draw_counts, make_panel, write_folder

pytestmark = pytest.mark.airflow

CHECKOUT = Path(__file__).resolve().parents[2]
NO_DAGS = {Path(name).stem for name in (CHECKOUT / "dags" / ".airflowignore").read_text().split()} | {"__init__"}
DAG_FILES = sorted(path.stem for path in (CHECKOUT / "dags").glob("*.py") if path.stem not in NO_DAGS)

_INSPECT = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(dag_folder=sys.argv[1])
print(json.dumps({
    "errors": {str(k): str(v) for k, v in bag.import_errors.items()},
    "dags": {d.dag_id: {
        "file": d.fileloc.rsplit("/", 1)[-1], "doc": d.doc_md or "", "tags": sorted(d.tags),
        "catchup": d.catchup, "max_active_runs": d.max_active_runs, "schedule": d.timetable.__class__.__name__,
        "params": {k: [p.schema.get("title"), p.description] for k in d.params for p in [d.params.get_param(k)]},
        "choices": {k: d.params.get_param(k).schema.get("enum") for k in d.params},
        "tasks": {t.task_id: {
            "owner": t.owner, "retries": t.retries, "policy": t.retry_policy is not None,
            "timeout": t.execution_timeout is not None, "callback": bool(t.on_failure_callback),
            "last": t.is_teardown, "pool": t.pool, "before": sorted(t.downstream_task_ids), "rule": str(t.trigger_rule),
            "inlets": [a.name for a in t.inlets], "outlets": [a.name for a in t.outlets],
        } for t in d.tasks},
        "restored": [t.task_id for t in DagSerialization.from_dict(DagSerialization.to_dict(d)).tasks
                     if t.has_retry_policy],
    } for d in bag.dags.values()},
}))
"""


_POLICY = """
import json, sys
from dags.common.retries import RETRY_POLICY
from etl import errors
raised = {
    "RateLimitedError": errors.RateLimitedError("wait", 1234.5), "TryAgainError": errors.TryAgainError("again"),
    "MustSignInError": errors.MustSignInError("sign in", "ada"), "ValueError": ValueError("a fault of ours"),
}
decisions = {name: RETRY_POLICY.evaluate(error, 1, 2) for name, error in raised.items()}
print(json.dumps({
    name: [d.action.value, d.retry_delay.total_seconds() if d.retry_delay else None] for name, d in decisions.items()
}))
"""

_NOTHING_TO_WRITE = """
import json
from datetime import datetime
from types import SimpleNamespace
from airflow.sdk.exceptions import AirflowSkipException
from dags.build_marts import build_marts
from dags.load_events import load_events
from dags.common.refresh_tasks import load_catalogue
from tests.dags.pretended_jobs import replace_module

replace_module("refresh", load_catalogue=lambda *_: {})
replace_module("events", load_events=lambda *_: {})
replace_module("marts", build_marts=lambda *_: {})
replace_module("forecasts", is_forecast_due=lambda *_: False)
run = SimpleNamespace(dag_id="any", run_id="any", data_interval_end=None, run_after=datetime.now())
told = {}
for wired in (load_catalogue, load_events, build_marts):
    for number in (1, 2):
        name, instance = wired.function.__name__, SimpleNamespace(try_number=number)
        try:
            told[f"{name} {number}"] = wired.function(dag_run=run, task_instance=instance, params={"scope": "changed"})
        except AirflowSkipException:
            told[f"{name} {number}"] = "skipped"
print(json.dumps(told))
"""

CASES: dict[str, dict[str, Any]] = {
    "all well": {"dag_id": "nightly_refresh"},
    "no account": {"dag_id": "nightly_refresh", "accounts": []},
    "some failed": {"dag_id": "nightly_refresh", "fails": ["ben"]},
    "all failed": {"dag_id": "nightly_refresh", "fails": ["ada", "ben", "fetch_catalogue"]},
    "none chosen": {"dag_id": "nightly_refresh", "fails": ["choose_accounts"]},
    "quiet": {"dag_id": "nightly_refresh", "quiet": ["ben", "catalogue"]},
    "features": {"dag_id": "nightly_refresh", "has_features": True},
    "no new features": {"dag_id": "nightly_refresh", "has_features": True, "quiet": ["features"]},
    "features failed": {"dag_id": "nightly_refresh", "has_features": True, "fails": ["fetch_audio_features"]},
    "features without accounts": {"dag_id": "nightly_refresh", "has_features": True, "accounts": []},
    "nothing new": {"dag_id": "nightly_refresh", "is_news": False, "has_events": False},
    "load failed": {"dag_id": "nightly_refresh", "fails": ["load_catalogue"]},
    "plan failed": {"dag_id": "nightly_refresh", "fails": ["plan_refresh"]},
    "news failed": {"dag_id": "nightly_refresh", "fails": ["has_news"]},
    "report failed": {"dag_id": "nightly_refresh", "fails": ["report"]},
    "fit failed": {"dag_id": "fit_clusters", "fails": ["fit_clusters", "report"]},
    "events loaded": {"dag_id": "load_events"},
    "events of no news": {"dag_id": "load_events", "is_news": False},
    "events not planned": {"dag_id": "load_events", "fails": ["plan_events"]},
    "events not loaded": {"dag_id": "load_events", "fails": ["load_events"]},
    "events without report": {"dag_id": "load_events", "fails": ["report"]},
    "all imported": {"dag_id": "kaggle_import"},
    "a bad file": {"dag_id": "kaggle_import", "fails": ["two.csv"]},
    "bad files": {"dag_id": "kaggle_import", "fails": ["one.csv", "two.csv"]},
    "no files": {"dag_id": "kaggle_import", "fails": ["find_files"]},
    "no stock": {"dag_id": "kaggle_import", "fails": ["seed_mock_api"]},
    "marts built": {"dag_id": "build_marts"},
    "a day completed": {"dag_id": "build_marts", "is_forecast_due": True},
    "no marts built": {"dag_id": "build_marts", "is_news": False, "is_forecast_due": True},
    "too short a history": {"dag_id": "forecast"},
    "no environment": {"dag_id": "forecast", "folder": "/nowhere"},
    "forecasts not planned": {"dag_id": "forecast", "fails": ["plan_forecast"]},
}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of an Airflow without components, whose tables are in a file."""
    home = tmp_path_factory.mktemp("airflow")
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "SPOTI", "IS_STAND"))},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(CHECKOUT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(CHECKOUT / "plugins"),
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "0",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "PYTHONPATH": str(CHECKOUT),
        "SPOTIPY_CLIENT_ID": "an id",
        "STATE_DIR": str(home),
        "WAREHOUSE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environ, check=True, capture_output=True)
    return environ


def run_and_parse(environ: dict[str, str], *arguments: str) -> Any:
    """Run Python with arguments in a separate process, and return the last line of its output, parsed as JSON."""
    done = subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def bag(environ: dict[str, str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the content of the DAG folder, as Airflow itself parses it."""
    content: dict[str, dict[str, dict[str, Any]]] = run_and_parse(environ, "-c", _INSPECT, str(CHECKOUT / "dags"))
    return content


@pytest.fixture(scope="module")
def runs(environ: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return runs of the DAGs with mock jobs, by case: the state of the run and the states of its tasks."""
    results: dict[str, dict[str, Any]] = run_and_parse(environ, "-m", "tests.dags.pretended_jobs", json.dumps(CASES))
    return results


@pytest.fixture(scope="module")
def forecast_run(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return runs of the forecasts in another interpreter: with a series that is too short, and without a folder."""
    state = tmp_path_factory.mktemp("state")
    venv = get_python_path(state).parent.parent
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    packages = Path(sysconfig.get_path("purelib"))
    (next(venv.glob("lib/python*/site-packages")) / "ours.pth").write_text(str(packages))
    folder = write_folder(state / "run", [make_panel(draw_counts(20, 5), TOTAL)])
    cases = {
        "forecast": {"dag_id": "forecast", "folder": str(folder)},
        "no folder": {"dag_id": "forecast", "folder": str(state / "nowhere")},
    }
    runs = run_and_parse({**environ, "STATE_DIR": str(state)}, "-m", "tests.dags.pretended_jobs", json.dumps(cases))
    return {**runs, "written": sorted(path.name for path in folder.iterdir())}


@pytest.fixture(scope="module")
def marked(environ: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the end of each run that was marked as failed, by DAG and by the task and its state when it was marked."""
    results: dict[str, dict[str, Any]] = run_and_parse(environ, "-m", "tests.dags.marked_runs")
    return results


def test_all_dags_parse(bag: dict) -> None:
    assert bag["errors"] == {}
    assert sorted(bag["dags"]) == DAG_FILES


@pytest.mark.parametrize("dag_id", DAG_FILES)
def test_a_dag_keeps_the_rules(bag: dict, dag_id: str) -> None:
    dag = bag["dags"][dag_id]
    assert dag["file"] == f"{dag_id}.py"
    assert "**If it fails**" in dag["doc"] and "**Is a rerun safe?**" in dag["doc"]
    assert dag["tags"]
    assert dag["catchup"] is False
    assert all(title and description for title, description in dag["params"].values())
    for name, task in dag["tasks"].items():
        assert task["owner"] == "warehouse", name
        assert task["retries"] >= 1 and task["policy"] and task["timeout"] and task["callback"], name


def test_forms_offer_what_the_jobs_know(bag: dict) -> None:
    kaggles = [known_format.name for known_format in FORMATS.values() if known_format.origin == "kaggle"]
    assert bag["dags"]["kaggle_import"]["choices"]["format"] == [None, *kaggles]
    assert bag["dags"]["kaggle_import"]["choices"]["encoding"] == ["guess", *CHOICES]
    assert bag["dags"]["build_marts"]["choices"]["scope"] == list(marts.MODES)
    assert bag["dags"]["simulate_feed"]["params"].keys() >= set(INJECTED_ERROR_KINDS)


def test_the_nightly_refresh_stands_for_an_interval_and_runs_alone(bag: dict) -> None:
    dag = bag["dags"]["nightly_refresh"]
    assert dag["schedule"] == "CronDataIntervalTimetable"
    assert dag["max_active_runs"] == 1


def test_the_streams_are_watched_where_a_kafka_is_set(bag: dict, environ: dict[str, str]) -> None:
    assert bag["dags"]["watch_streams"]["schedule"] == "NullTimetable"
    with_kafka = {**environ, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    content = run_and_parse(with_kafka, "-c", _INSPECT, str(CHECKOUT / "dags"))
    assert content["errors"] == {} and content["dags"]["watch_streams"]["schedule"] == "CronTriggerTimetable"


def test_a_retry_policy_survives_airflows_own_database(bag: dict) -> None:
    for dag in bag["dags"].values():
        assert sorted(dag["restored"]) == sorted(dag["tasks"])


def test_a_failure_says_whether_and_when_its_task_is_tried_again(environ: dict[str, str]) -> None:
    assert run_and_parse(environ, "-c", _POLICY) == {
        "RateLimitedError": ["retry", 1234.5],
        "TryAgainError": ["retry", 30],
        "MustSignInError": ["fail", None],
        "ValueError": ["default", None],
    }


def test_a_load_that_an_earlier_try_has_published_is_told_of(environ: dict[str, str]) -> None:
    assert run_and_parse(environ, "-c", _NOTHING_TO_WRITE) == {
        "load_catalogue 1": "skipped",
        "load_catalogue 2": {},
        "load_events 1": "skipped",
        "load_events 2": {},
        "build_marts 1": "skipped",
        "build_marts 2": {},
    }


def test_what_asks_spotify_shares_the_pool_of_its_client_id(bag: dict) -> None:
    tasks = {(dag_id, name): task for dag_id, dag in bag["dags"].items() for name, task in dag["tasks"].items()}
    pools = {task_id: task["pool"] for task_id, task in tasks.items() if task["pool"] != "default_pool"}
    expected = get_spotify_pool({"SPOTIPY_CLIENT_ID": "an id"})
    assert expected == "spotify_an_id"
    assert pools == {
        **{("nightly_refresh", name): expected for name in ("fetch_account", "fetch_catalogue")},
        ("recently_played", "fetch_plays"): "spotify_an_id.recently_played",
    }
    assert get_spotify_pool({"SPOTIPY_CLIENT_ID": ""}) is None and get_recently_played_pool({}) is None


def test_the_lineage_shows_the_api_and_the_new_tables(bag: dict) -> None:
    tasks = bag["dags"]["nightly_refresh"]["tasks"]
    assert tasks["fetch_account"]["outlets"] == tasks["fetch_catalogue"]["outlets"] == ["lake.api"]
    assert tasks["transform_catalogue"]["inlets"] == ["lake.kaggle", "lake.api", "lake.audio_features"]
    new = {"warehouse.dim_user", "warehouse.fact_track_popularity", "warehouse.fact_artist_popularity"}
    assert new <= set(tasks["load_catalogue"]["outlets"])


def test_every_page_says_where_a_stand_in_answers(environ: dict[str, str]) -> None:
    content = run_and_parse({**environ, "IS_STAND_IN": "true"}, "-c", _INSPECT, str(CHECKOUT / "dags"))
    dag_ids = {name for name, dag in content["dags"].items() if "The mock Spotify API is in use" in dag["doc"]}
    assert dag_ids == set(DAG_FILES) - {"maintenance"}


@pytest.mark.parametrize(
    "case",
    [
        *("all well", "no account", "quiet", "some failed", "all failed", "none chosen"),
        *("features", "no new features", "features failed", "features without accounts"),
    ],
)
def test_whatever_became_of_the_api_the_refresh_publishes(runs: dict, case: str) -> None:
    run = runs[case]
    assert run["state"] == "success"
    steps = ("plan_refresh", "transform_catalogue", "fit_clusters", "load_catalogue", "write_report")
    assert {name: run["tasks"][name] for name in steps} == dict.fromkeys(steps, "success")
    failed = {name for name, state in run["tasks"].items() if state == "failed"}
    assert failed == {
        name if name.startswith(("fetch", "choose")) else f"fetch_account {name}"
        for name in CASES[case].get("fails", ())
    }


def test_audio_features_are_asked_for_where_a_provider_is_named(runs: dict) -> None:
    states = {
        case: runs[case]["tasks"]["fetch_audio_features"]
        for case in CASES
        if "fetch_audio_features" in runs[case]["tasks"]
    }
    assert {case for case, state in states.items() if state == "success"} == {"features", "features without accounts"}
    assert {case for case, state in states.items() if state == "failed"} == {"features failed"}
    assert states["all well"] == states["no new features"] == states["all failed"] == "skipped"
    assert "lake.audio_features" in runs["features"]["assets"]
    assert "lake.audio_features" not in runs["all well"]["assets"] + runs["no new features"]["assets"]


def test_an_account_is_asked_although_another_one_fails(runs: dict) -> None:
    tasks = runs["some failed"]["tasks"]
    assert (tasks["fetch_account ada"], tasks["fetch_account ben"]) == ("success", "failed")
    assert tasks["fetch_catalogue"] == "success"
    assert runs["no account"]["tasks"]["fetch_account"] == "skipped"
    tasks = runs["quiet"]["tasks"]
    assert (tasks["fetch_account ada"], tasks["fetch_account ben"]) == ("success", "skipped")
    assert tasks["fetch_catalogue"] == "skipped", "what brings nothing new announces nothing"
    assert runs["all well"]["last_tries"] == [False, False, False]


def test_events_are_announced_where_there_are_some_and_the_refresh_was_published(runs: dict) -> None:
    states = {case: runs[case]["tasks"]["announce_events"] for case in ("all well", "nothing new", "load failed")}
    assert states == {"all well": "success", "nothing new": "skipped", "load failed": "upstream_failed"}


@pytest.mark.parametrize(
    ("case", "state", "report"),
    [
        ("plan failed", "failed", "success"),
        ("load failed", "failed", "success"),
        ("news failed", "failed", "success"),
        ("fit failed", "failed", "failed"),
        ("report failed", "success", "failed"),
        ("nothing new", "success", "success"),
        ("events loaded", "success", "success"),
        ("events of no news", "success", "success"),
        ("events not planned", "failed", "success"),
        ("events not loaded", "failed", "success"),
        ("events without report", "success", "failed"),
    ],
)
def test_a_report_comes_however_a_run_ends_and_decides_nothing(runs: dict, case: str, state: str, report: str) -> None:
    assert (runs[case]["state"], runs[case]["tasks"]["write_report"]) == (state, report)


@pytest.mark.parametrize("dag_id", DAG_FILES)
def test_a_run_that_is_marked_as_failed_has_failed_at_whatever_stage_it_was(marked: dict, dag_id: str) -> None:
    assert len(marked[dag_id]) >= 4
    assert {stage: ended for stage, ended in marked[dag_id].items() if ended != {"state": "failed", "noted": 1}} == {}


def test_no_step_is_a_teardown_which_would_have_a_marked_run_judged_anew(bag: dict) -> None:
    assert not [(dag_id, name) for dag_id, dag in bag["dags"].items() for name, t in dag["tasks"].items() if t["last"]]


def test_a_run_fails_where_its_load_does_and_only_then(runs: dict) -> None:
    assert runs["load failed"]["state"] == "failed"
    assert runs["load failed"]["tasks"]["write_report"] == "success"
    assert runs["nothing new"]["state"] == "success"
    assert runs["nothing new"]["tasks"]["load_catalogue"] == "skipped"


@pytest.mark.parametrize(
    ("case", "state", "stocked", "refreshed"),
    [
        ("all imported", "success", "skipped", "success"),
        ("a bad file", "failed", "skipped", "success"),
        ("bad files", "failed", "upstream_failed", "skipped"),
        ("no files", "failed", "upstream_failed", "skipped"),
    ],
)
def test_a_failed_file_stops_neither_stock_nor_refresh(
    runs: dict, case: str, state: str, stocked: str, refreshed: str
) -> None:
    tasks = runs[case]["tasks"]
    assert (runs[case]["state"], tasks["seed_mock_api"], tasks["start_refresh"]) == (state, stocked, refreshed)


def test_where_a_stand_in_answers_it_gets_its_stock(environ: dict[str, str]) -> None:
    cases = {case: CASES[case] for case in ("a bad file", "no stock")}
    runs = run_and_parse({**environ, "IS_STAND_IN": "true"}, "-m", "tests.dags.pretended_jobs", json.dumps(cases))
    assert runs["a bad file"]["tasks"]["seed_mock_api"] == "success"
    assert (runs["no stock"]["state"], runs["no stock"]["tasks"]["start_refresh"]) == ("failed", "success")


@pytest.mark.parametrize(
    ("late", "asks_on"),
    [
        (timedelta(minutes=1), date(2026, 11, 20)),
        (timedelta(hours=22), date(2026, 11, 21)),
        (timedelta(hours=25), date(2026, 11, 20)),
        (timedelta(days=9), date(2026, 11, 20)),
    ],
)
def test_a_late_night_asks_and_an_earlier_one_does_not(late: timedelta, asks_on: date) -> None:
    end = datetime(2026, 11, 20, 3, tzinfo=UTC)
    assert compute_fetch_date(end - timedelta(days=1), end, end, end + late) == asks_on
    assert compute_fetch_date(None, None, end, end + late) == asks_on
    assert compute_reference_date(end, end + late) == date(2026, 11, 20)


def test_forecasts_are_due_where_a_build_completes_a_day(runs: dict) -> None:
    assert runs["marts built"]["assets"] == ["mart"]
    assert runs["a day completed"]["assets"] == ["forecast.due", "mart"]
    assert (runs["no marts built"]["assets"], runs["no marts built"]["state"]) == ([], "success")


def test_a_history_that_is_too_short_ends_a_run_without_a_failure(runs: dict) -> None:
    assert runs["too short a history"]["state"] == "success"
    assert set(runs["too short a history"]["tasks"].values()) == {"skipped"}
    assert runs["forecasts not planned"]["state"] == "failed"


def test_the_interpreter_of_the_forecasts_need_not_exist_until_they_run(bag: dict, runs: dict) -> None:
    assert set(bag["dags"]["forecast"]["tasks"]) == {"plan_forecast", "run_forecast", "load_forecast"}
    tasks = runs["no environment"]["tasks"]
    assert (tasks["plan_forecast"], tasks["run_forecast"], tasks["load_forecast"]) == (
        "success",
        "failed",
        "upstream_failed",
    )


def test_forecasts_run_in_an_interpreter_of_their_own(forecast_run: dict[str, Any]) -> None:
    assert forecast_run["forecast"]["state"] == "success"
    assert "mart.forecast" in forecast_run["forecast"]["assets"]
    assert {"run.json", "forecasts.arrow", "champions.arrow"} <= set(forecast_run["written"])
    assert forecast_run["no folder"]["tasks"]["run_forecast"] == "failed"
