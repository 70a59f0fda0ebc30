"""The tasks of a refresh, shared by the DAGs that publish the catalogue.

Tasks import their jobs when they run: parsing a DAG must not load Spark.
"""

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.assets import API_INPUTS, CATALOGUE_TABLES, FEATURE_INPUTS, KAGGLE_INPUTS, REFRESH_END
from dags.common.run_context import get_reference_date, get_run_id, skip_on_first_try


@task(trigger_rule="all_done")
def plan_refresh(**context: Any) -> None:
    """Plan the run, also after failed fetches; it ends here if nothing is new."""
    from etl.jobs import refresh_plan
    from etl.settings import read_settings

    has_news = refresh_plan.plan_refresh(
        get_run_id(context),
        job=context["dag_run"].dag_id,
        reference_date=get_reference_date(context),
        is_forced=bool(context["params"].get("full_refresh")) or "cluster_count" in context["params"],
        settings=read_settings(),
    )
    if not has_news:
        raise AirflowSkipException("Nothing new: the warehouse already has all inputs of the lake.")


@task(inlets=[KAGGLE_INPUTS, API_INPUTS, FEATURE_INPUTS])
def transform_catalogue(**context: Any) -> dict[str, int]:
    """Return the numbers of accepted and rejected rows, and of the resulting rows."""
    from etl.jobs import refresh
    from etl.settings import read_settings

    return refresh.transform_catalogue(get_run_id(context), read_settings())


@task
def fit_clusters(**context: Any) -> str:
    """Return a message: whether the clusters were fitted again, and why."""
    from etl.jobs import refresh
    from etl.settings import read_settings

    params = context["params"]
    return refresh.fit_clusters(
        get_run_id(context), read_settings(), cluster_count=params.get("cluster_count"), seed=params.get("seed")
    )


@task(outlets=CATALOGUE_TABLES)
def load_catalogue(**context: Any) -> dict[str, int]:
    """Return the rows written, by table."""
    from etl.jobs import refresh
    from etl.settings import read_settings

    written_rows = refresh.load_catalogue(get_run_id(context), read_settings())
    if not any(written_rows.values()):
        skip_on_first_try(context, "All rows are up to date: nothing was written.")
    return written_rows


@task(outlets=[REFRESH_END], trigger_rule="none_failed")
def announce_events() -> None:
    """Update the asset that starts `load_events`, if the lake has inputs with events that are not loaded."""
    from etl.jobs import events
    from etl.settings import read_settings

    if not events.has_new_inputs(read_settings()):
        raise AirflowSkipException("All inputs of the lake with events are loaded.")


@task(trigger_rule="all_done")
def write_report(**context: Any) -> None:
    """Log the report of the run."""
    from etl.jobs import run_audit
    from etl.settings import read_settings

    run_audit.log_run(get_run_id(context), read_settings())


def end_with_report(last_task: Any) -> None:
    """Wire the end of a run: a report in any case, and the run's state, which is that of the last task.

    Airflow derives the state of a run from its leaf tasks. ``outcome`` is one: it fails if ``last_task`` or a task
    before it has failed. ``report_end`` is the other and always succeeds, so that the report has no influence. The
    report is not a teardown: if a user marks a run as failed, Airflow lets it run on for its teardowns and then derives
    its state again; tasks that had not begun are skipped by then, which counts as success.

    :param last_task: the task that publishes, or a later one.
    """
    last_task >> EmptyOperator(task_id="outcome", trigger_rule="none_failed")
    last_task >> write_report() >> EmptyOperator(task_id="report_end", trigger_rule="all_done")


def build_refresh_tasks() -> Any:
    """Wire the tasks one after the other, with a report that does not hide a failure.

    The run has the state of the load: it succeeds if the load was published, even after a failed fetch.

    :returns: the first task.
    """
    plan, announce = plan_refresh(), announce_events()
    plan >> transform_catalogue() >> fit_clusters() >> load_catalogue() >> announce
    end_with_report(announce)
    return plan
