"""The results of the checks of the streams, in audit.stream_check."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from etl.database.connection import fetch_rows


def list_stream_checks(connection: Connection, run_id: str, limit: int) -> list[dict[str, Any]]:
    """Return the newest rows of audit.stream_check of other runs, at most ``limit`` for each check, newest first."""
    statement = """
        select checked_at, check_name, is_passed, value, message, details
        from (
            select *, row_number() over (partition by check_name order by checked_at desc) as position
            from audit.stream_check
            where run_id <> :run_id
        ) as c
        where position <= :limit
        order by checked_at desc, check_name
    """
    return fetch_rows(connection, statement, run_id=run_id, limit=limit)


def record_stream_checks(
    connection: Connection, run_id: str, checked_at: datetime, results: Sequence[Mapping[str, object]]
) -> None:
    """Write the results of a run's checks, in place of those of an earlier try.

    :param results: the columns check_name, is_passed, value, message and details.
    """
    statement = """
        insert into audit.stream_check (checked_at, value, is_passed, check_name, run_id, message, details)
        values (:checked_at, :value, :is_passed, :check_name, :run_id, :message, cast(:details as jsonb))
    """
    rows = [
        {**result, "run_id": run_id, "checked_at": checked_at, "details": json.dumps(result["details"])}
        for result in results
    ]
    connection.execute(text("delete from audit.stream_check where run_id = :run_id"), {"run_id": run_id})
    connection.execute(text(statement), rows)


def delete_stream_checks(connection: Connection, cutoff: datetime) -> int:
    """Delete the results of checks before a time; return their number."""
    statement = "delete from audit.stream_check where checked_at < :cutoff"
    return connection.execute(text(statement), {"cutoff": cutoff}).rowcount
