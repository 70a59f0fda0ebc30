"""
### Forecast
Forecasts sessions, minutes and active users, 28 days and 8 weeks ahead: in total, by continent, by plan, by both, and
for the artists and listeners with most plays. Starts by itself once a day, after the build of the marts that completes
a day; a day is complete once it is over in the last timezone and later events have come. `docs/forecasts.md` explains
models, tables and the dashboard's page.

| step | what it does |
| --- | --- |
| `plan_forecast` | reads the series from the marts and decides whether to train |
| `run_forecast` | forecasts and looks for anomalous days; if it trains, compares all models and chooses champions |
| `load_forecast` | publishes all results at once, and stores the models in the lake |

It trains once a week, and if models are missing. The first time, `plan_forecast` makes the environment of the
forecasts, which takes minutes and the network. With less than 112 known days of history, or without a new day, a run
ends after the first step, and its log says so. A run that you start here forecasts without a new day, too.

**If it fails**: the earlier forecasts stay. The last line of the failed task's log says what to do. The next day starts
another run.
A traceback about `pendulum` at the beginning of the log of `run_forecast` is no failure: Airflow asks whether the
environment has that package, and does not need it.

**Is a rerun safe?** Yes. The same series and seed give the same forecasts, and a run publishes once.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.assets import FORECAST_DUE, FORECAST_TABLES, MART_TABLES
from dags.common.params import render_doc_page
from dags.common.retries import build_default_args
from dags.common.run_context import get_run_id, skip_on_first_try
from etl.engines.forecast_program import build_environ, get_python_path
from etl.settings import CHECKOUT

_STATE = Path(os.environ.get("STATE_DIR") or CHECKOUT / ".state").resolve()
_LEVELS = {
    "all": ("total", "continent", "plan", "continent_plan", "artist", "published_artist", "listener"),
    "segments": ("total", "continent", "plan", "continent_plan"),
    "total": ("total",),
}


@task(inlets=[MART_TABLES])
def plan_forecast(**context: Any) -> str:
    """Return the folder of the run; the run ends here if there is nothing to forecast."""
    from etl.jobs import forecasts
    from etl.settings import read_settings

    params, dag_run = context["params"], context["dag_run"]
    options = forecasts.ForecastOptions(
        horizon_days=params["horizon_days"],
        horizon_weeks=params["horizon_weeks"],
        levels=_LEVELS[params["series"]],
        seed=params["seed"],
        is_retraining=params["retrain"],
    )
    plan = forecasts.plan_forecast(
        get_run_id(context), options, dag_run.run_after, dag_run.run_type == "manual", read_settings()
    )
    if plan.folder is None:
        raise AirflowSkipException(plan.message)
    return str(plan.folder)


# The interpreter need not exist when the DAG is parsed: plan_forecast makes it.
@task.external_python(
    python=str(get_python_path(_STATE)),
    expect_airflow=False,
    inherit_env=False,
    env_vars=build_environ(_STATE),
    execution_timeout=timedelta(hours=4),
    retries=1,  # the same series give the same failure; a killed process begins again
)
def run_forecast(folder: str) -> None:
    """Run the program on the folder. Airflow copies this function alone into the other interpreter."""
    from pathlib import Path

    import forecasting.__main__  # noqa: F401 (sets the variables that numpy and JAX read when they are imported)
    from forecasting.run import run_request

    run_request(Path(folder))


@task(outlets=FORECAST_TABLES)
def load_forecast(**context: Any) -> dict[str, int]:
    """Return the rows written, by table."""
    from etl.jobs import forecasts
    from etl.settings import read_settings

    written_rows = forecasts.load_forecast(get_run_id(context), read_settings())
    if not written_rows:
        skip_on_first_try(context, "The run is already published.")
    return written_rows


with DAG(
    dag_id="forecast",
    description="Forecast sessions, minutes and active users",
    schedule=[FORECAST_DUE],
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=build_default_args(),
    doc_md=render_doc_page(__doc__),
    tags=["forecasts", "marts"],
    params={
        "horizon_days": Param(
            28,
            type="integer",
            minimum=1,
            maximum=56,
            title="Days ahead",
            description="How many days are forecast.",
        ),
        "horizon_weeks": Param(
            8,
            type="integer",
            minimum=1,
            maximum=26,
            title="Weeks ahead",
            description="How many weeks are forecast.",
        ),
        "series": Param(
            "all",
            type="string",
            enum=list(_LEVELS),
            title="Series",
            description="All series, those without single artists and listeners, or the total alone.",
        ),
        "seed": Param(
            7,
            type="integer",
            minimum=0,
            maximum=2**31 - 1,
            title="Seed",
            description="The seed of all random numbers: the same series and seed give the same forecasts.",
        ),
        "retrain": Param(
            False,
            type="boolean",
            title="Train now",
            description="Compare the models, train and choose the champions, even if the last training is recent.",
        ),
    },
):
    run_forecast(plan_forecast()) >> load_forecast()
