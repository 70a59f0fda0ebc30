"""Removes what nobody needs any more: what loads left in staging, old refused rows."""

from datetime import datetime

from sqlalchemy import Connection, text

from etl.database.connection import fetch_rows, lock_warehouse

_LAST_FILE_RUN = """
    select r.run_id
    from audit.run as r
    inner join audit.run_input as i on i.run_id = r.run_id
    where r.result = 'published' and i.origin in ('kaggle', 'made_up')
    order by r.finished_at desc
    limit 1
"""
"""The last refresh that read files; each reads all that are current."""


def sweep_warehouse(url: str, cutoff: datetime) -> int:
    """Empty staging and remove the refused rows of runs that ended before a time.

    Those of the files that the last refresh read stay: the next one reads them whole and would refuse the same again.

    :returns: how many refused rows were removed; their counts stay in audit.row_count.
    :raises TryAgainError: where a load is in progress.
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
                """  # noqa: S608 (a query of ours)
            ),
            {"before": cutoff},
        ).rowcount
        connection.commit()
    return removed_count


def clear_staging(connection: Connection) -> None:
    """Empty all staging tables and end the writers of loads that are gone; only for who holds the lock."""
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
