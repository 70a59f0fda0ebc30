"""The audit of the warehouse: what a start reads and records there."""

from etl import database
from launch.airflow_api import UnfinishedRun


def record_interrupted_runs(url: str, runs: list[UnfinishedRun]) -> None:
    """Record runs that an earlier start left unfinished as failed."""
    with database.connect(url) as connection:
        for run in runs:
            database.record_external_failure(
                connection, run.audit_id, run.dag_id, run.started_at, database.INTERRUPTED_MESSAGE
            )


def has_feed_or_export(url: str) -> bool:
    """Return whether a feed or an account export is published: then no listeners need to be simulated.

    Events from the API do not count, since they may be loaded before or after this question.
    """
    statement = """
        select exists (
            select
            from audit.run_input as i
            inner join audit.run as r on r.run_id = i.run_id
            where i.origin in ('feed', 'account_export') and r.result = 'published'
        ) as is_published
    """
    with database.connect(url) as connection:
        return bool(database.fetch_rows(connection, statement)[0]["is_published"])
