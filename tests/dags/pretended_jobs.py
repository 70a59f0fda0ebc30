"""Run real DAGs in this process, in a separate database, with mock jobs; print the results as JSON.

python -m tests.dags.pretended_jobs CASES        {"case": {"dag_id": …, "fails": […], …}} as JSON
"""

import importlib
import json
import sys
import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from etl.errors import ActionNeededError, MustSignInError

DAGS = Path(__file__).resolve().parents[2] / "dags"


class Jobs:
    """Mock jobs with the results of one case; ``fails`` names those that raise, including accounts and files."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.fails = set(case.get("fails", ()))
        self.accounts = case.get("accounts", ["ada", "ben"])
        self.files = case.get("files", ["one.csv", "two.csv"])
        self.quiet = set(case.get("quiet", ()))
        self.is_news = case.get("is_news", True)
        self.has_events = case.get("has_events", True)
        self.has_features = case.get("has_features", False)
        self.folder = case.get("folder")
        self.is_forecast_due = case.get("is_forecast_due", False)
        self.last_tries: list[bool] = []

    def do(self, name: str, result: Any) -> Any:
        if name in self.fails:
            raise ActionNeededError(f"{name} fails.")
        return result

    def fetch_account(self, name: str, run_id: str, settings: object, is_last_try: bool) -> dict[str, int]:
        self.last_tries.append(is_last_try)
        if name in self.fails:
            raise MustSignInError(f"Run bin/sign-in {name}.", name)
        return {"playlists_seen": 1, "has_news": name not in self.quiet}

    def fetch_catalogue(self, run_id: str, day: object, settings: object, is_last_try: bool) -> dict[str, int]:
        self.last_tries.append(is_last_try)
        result = {"calls": 1, "has_news": "catalogue" not in self.quiet} if self.accounts else {}
        return self.do("fetch_catalogue", result)

    def fetch_audio_features(self, run_id: str, day: object, settings: object, is_last_try: bool) -> dict[str, Any]:
        return self.do("fetch_audio_features", {"calls": 1, "has_news": "features" not in self.quiet, "budget": 9})

    def install(self) -> None:
        """Replace the modules that the tasks import."""
        replace_module(
            "spotify",
            choose_accounts=lambda *_: self.do("choose_accounts", self.accounts),
            fetch_account=self.fetch_account,
            fetch_catalogue=self.fetch_catalogue,
        )
        replace_module(
            "audio_features",
            explain_skip=lambda *_: None if self.has_features else "Not named.",
            explain_no_news=lambda *_: "Nothing to ask.",
            fetch_audio_features=self.fetch_audio_features,
        )
        replace_module("mock_api", "simulator.jobs", seed_mock_api=lambda *_: self.do("seed_mock_api", 2))
        replace_module("refresh_plan", plan_refresh=lambda *_, **__: self.do("plan_refresh", self.is_news))
        replace_module(
            "refresh",
            transform_catalogue=lambda *_: self.do("transform_catalogue", {}),
            fit_clusters=lambda *_, **__: self.do("fit_clusters", "Not fitted."),
            load_catalogue=lambda *_: self.do("load_catalogue", {"dim_track": 1}),
        )
        replace_module(
            "events",
            has_new_inputs=lambda *_: self.do("has_news", self.has_events),
            plan_events=lambda *_: self.do("plan_events", int(self.is_news)),
            load_events=lambda *_: self.do("load_events", {"fact_event": 1}),
        )
        replace_module("marts", build_marts=lambda *_: self.do("build_marts", {"play": 1} if self.is_news else {}))
        replace_module(
            "forecasts",
            ForecastOptions=dict,
            is_forecast_due=lambda *_: self.is_forecast_due,
            plan_forecast=lambda *_: self.do(
                "plan_forecast", SimpleNamespace(folder=self.folder, message="Too short.")
            ),
            load_forecast=lambda *_: self.do("load_forecast", {"forecast": 1}),
        )
        replace_module("run_audit", log_run=lambda *_: self.do("report", None))
        replace_module(
            "catalogue_files",
            "simulator.jobs",
            find_or_write_files=lambda *_: self.do("find_files", self.files),
        )
        replace_module(
            "kaggle",
            import_file=lambda path, *_, **__: self.do(path, {"name": path}),
        )


def replace_module(name: str, package: str = "etl.jobs", **functions: Any) -> None:
    module = types.ModuleType(f"{package}.{name}")
    module.__dict__.update(functions)
    sys.modules[module.__name__] = module
    setattr(importlib.import_module(package), name, module)


def main(cases: dict[str, dict[str, Any]]) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(DAGS))
    results = {}
    for name, case in cases.items():
        jobs = Jobs(case)
        jobs.install()
        run = bag.dags[case["dag_id"]].test()
        tasks = {
            instance.task_id + (f" {instance.rendered_map_index}" if instance.rendered_map_index else ""): str(
                instance.state
            )
            for instance in run.get_task_instances()
        }
        results[name] = {"state": str(run.state), "tasks": tasks, "last_tries": jobs.last_tries}
        results[name]["assets"] = _list_updated_assets(run.run_id)
    return results


def _list_updated_assets(run_id: str) -> list[str]:
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        events = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run_id))
        return sorted(event.name for event in events)


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(main(json.loads(sys.argv[1]))) + "\n")
