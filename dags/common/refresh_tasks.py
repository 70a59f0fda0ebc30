"""The steps of a refresh, shared by the DAGs that publish the catalogue.

Jobs are imported where they run: parsing a DAG must not load Spark.
"""

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.defaults import API_INPUTS, CATALOGUE_TABLES, KAGGLE_INPUTS, REFRESH_END
from dags.common.run_context import get_reference_date, get_run_id, skip_on_first_try


@task(trigger_rule="all_done")
def plan_refresh(**context: Any) -> int:
    """Which inputs are new, whatever came of the steps before; none ends the run here."""
    from etl.jobs import refresh
    from etl.settings import read_settings

    input_count = refresh.plan_refresh(
        get_run_id(context),
        job=context["dag_run"].dag_id,
        reference_date=get_reference_date(context),
        is_forced=bool(context["params"].get("from_nothing")) or "cluster_count" in context["params"],
        settings=read_settings(),
    )
    if not input_count:
        raise AirflowSkipException("Nothing new: the warehouse already holds what the lake holds.")
    return input_count


@task(inlets=[KAGGLE_INPUTS, API_INPUTS])
def transform_catalogue(**context: Any) -> dict[str, int]:
    """Rows accepted and refused, and what they became."""
    from etl.jobs import refresh
    from etl.settings import read_settings

    return refresh.transform_catalogue(get_run_id(context), read_settings())


@task
def fit_clusters(**context: Any) -> str:
    """A sentence: fitted anew, or not and why."""
    from etl.jobs import refresh
    from etl.settings import read_settings

    params = context["params"]
    return refresh.fit_clusters(
        get_run_id(context), read_settings(), cluster_count=params.get("cluster_count"), seed=params.get("seed")
    )


@task(outlets=CATALOGUE_TABLES)
def load_catalogue(**context: Any) -> dict[str, int]:
    """Rows written, by table."""
    from etl.jobs import refresh
    from etl.settings import read_settings

    written_rows = refresh.load_catalogue(get_run_id(context), read_settings())
    if not any(written_rows.values()):
        skip_on_first_try(context, "Every row was there already: nothing was written.")
    return written_rows


@task(outlets=[REFRESH_END], trigger_rule="none_failed")
def announce_events() -> None:
    """Lets `load_events` start where the answers of this night may tell of events."""
    from etl.jobs import events
    from etl.settings import read_settings

    if not events.has_new_inputs(read_settings()):
        raise AirflowSkipException("The lake holds no input that the loads of events have not taken.")


@task(trigger_rule="all_done")
def write_report(**context: Any) -> None:
    """Says in the log what the run did."""
    from etl.jobs import run_audit
    from etl.settings import read_settings

    run_audit.log_run(get_run_id(context), read_settings())


def end_with_report(last_task: Any) -> None:
    """Wire the end of a run: a report, however the steps end, and the run's state, which is that of the last step.

    Airflow judges a run by the tasks that nothing follows. ``outcome`` is one: it fails where ``last`` or a step before
    it has failed. ``report_end`` is the other and always succeeds, so that the report decides nothing. The report is no
    teardown: where somebody marks a run as failed, Airflow leaves it running for its teardowns and then judges it anew,
    and by then all that had not begun is skipped, which counts as good.

    :param last: the step that publishes, or a later one.
    """
    last_task >> EmptyOperator(task_id="outcome", trigger_rule="none_failed")
    last_task >> write_report() >> EmptyOperator(task_id="report_end", trigger_rule="all_done")


def build_refresh_tasks() -> Any:
    """Wire the steps, one after the other; the report comes however they end, and does not hide a failure.

    The run ends as the load does: what failed before it stays red, and the run is a success where it was published.

    :returns: the first step.
    """
    plan, announce = plan_refresh(), announce_events()
    plan >> transform_catalogue() >> fit_clusters() >> load_catalogue() >> announce
    end_with_report(announce)
    return plan
