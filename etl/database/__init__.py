"""The PostgreSQL warehouse, as far as more than the load needs it.

    connection  connections, the lock that guards the warehouse, what to do where it fails
    runs        what the audit knows of earlier runs, and how a run ended that published nothing
    fetches     what fetches from the API know of earlier ones
    sql_files   the files of sql/: read, run, queried
    sessions    sessions of logins, and a watch that none of them holds up what changes the warehouse
    sweeping    what nobody needs any more, removed

SQLAlchemy lives here and in ``load``.
"""

from etl.database.cleanup import clear_staging, sweep_warehouse
from etl.database.connection import (
    connect,
    explain_error,
    explain_sqlstate,
    fetch_rows,
    format_address,
    has_control_characters,
    libpq_url,
    lock_warehouse,
    make_engine,
)
from etl.database.runs import (
    EVENT_LOAD_JOB,
    EVENTS_SUFFIX,
    EXTERNAL_END_MESSAGES,
    INTERRUPTED_MESSAGE,
    MARKED_FAILED_MESSAGE,
    TIMED_OUT_MESSAGE,
    delete_failure,
    get_current_cluster_fit,
    get_last_published_at,
    get_latest_state_run_id,
    get_newness_bounds,
    has_release_after_bounds,
    list_published_input_ids,
    mark_restarted,
    record_external_failure,
    record_failure,
    record_nothing_new,
)
from etl.warehouse.sql_files import SQL_FOLDER, query_sql, read_sql, run_sql, run_statements, sql_path

__all__ = [
    "EVENTS_SUFFIX",
    "EVENT_LOAD_JOB",
    "EXTERNAL_END_MESSAGES",
    "INTERRUPTED_MESSAGE",
    "MARKED_FAILED_MESSAGE",
    "SQL_FOLDER",
    "TIMED_OUT_MESSAGE",
    "clear_staging",
    "connect",
    "delete_failure",
    "explain_error",
    "explain_sqlstate",
    "fetch_rows",
    "format_address",
    "get_current_cluster_fit",
    "get_last_published_at",
    "get_latest_state_run_id",
    "get_newness_bounds",
    "has_control_characters",
    "has_release_after_bounds",
    "libpq_url",
    "list_published_input_ids",
    "lock_warehouse",
    "make_engine",
    "mark_restarted",
    "query_sql",
    "read_sql",
    "record_external_failure",
    "record_failure",
    "record_nothing_new",
    "run_sql",
    "run_statements",
    "sql_path",
    "sweep_warehouse",
]
