"""Cleanup of the warehouse: leftovers of loads in staging, and old rows: rejected ones, findings and forecasts."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from etl.database.connection import fetch_rows
from etl.database.locks import lock_warehouse
from etl.database.sql_files import query_sql

_LAST_FILE_RUN = """
    select r.run_id
    from audit.run as r
    inner join audit.run_input as i on i.run_id = r.run_id
    where r.result = 'published' and i.origin in ('kaggle', 'made_up')
    order by r.finished_at desc
    limit 1
"""
"""The last refresh that read Kaggle files; each refresh reads all current files."""
_FORECAST_AGE = timedelta(days=365)
_SCORED_TRAININGS = 8


def sweep_warehouse(url: str, cutoff: datetime) -> int:
    """Empty staging and delete the rejected rows of runs that ended before a time, and findings about days before it.

    Forecasts of single artists and users are deleted a year later, scores of models with all but the last trainings.
    Rejected rows of current Kaggle files stay: the next refresh reads these files whole and would reject them again.

    :returns: the number of deleted rows, without those of staging; audit.row_count keeps the counts of rejected rows.
    :raises TryAgainError: if a load is in progress.
    """
    with lock_warehouse(url, wait_seconds=60) as connection:
        clear_staging(connection)
        removed_count = connection.execute(
            text(
                f"""
                delete from audit.rejected_row as t
                using audit.run as r
                where r.run_id = t.run_id
                    and r.finished_at < :before
                    and not exists (
                        select from audit.run_input as i
                        where i.input_id = t.input_id and i.run_id = ({_LAST_FILE_RUN})
                    )
                """  # noqa: S608 (a constant query)
            ),
            {"before": cutoff},
        ).rowcount
        removed_count += int(str(query_sql(connection, "erase/old_findings", before=cutoff)[0]["findings"]))
        forecasts = {"made_before": cutoff - _FORECAST_AGE, "trainings": _SCORED_TRAININGS}
        removed_count += int(str(query_sql(connection, "erase/old_forecasts", **forecasts)[0]["row_count"]))
        connection.commit()
    return removed_count


def clear_staging(connection: Connection) -> None:
    """Empty all staging tables and end the writers of dead loads; the caller has the lock of ``lock_warehouse``."""
    # A Spark task outlives a killed driver: its open COPY would block the truncation.
    connection.execute(
        text(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where application_name like 'staging %' and datname = current_database() and usename = current_user"
        )
    )
    for partition in fetch_rows(
        connection,
        "select i.inhrelid::regclass::text as name"
        " from pg_inherits as i inner join pg_class as c on c.oid = i.inhparent"
        " where c.relnamespace = 'staging'::regnamespace and c.relkind = 'p'",
    ):
        connection.execute(text(f"drop table {partition['name']}"))
    tables = fetch_rows(
        connection, "select format('staging.%I', tablename) as name from pg_tables where schemaname = 'staging'"
    )
    connection.execute(text("truncate " + ", ".join(str(table["name"]) for table in tables)))
