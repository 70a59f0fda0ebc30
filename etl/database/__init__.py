"""The PostgreSQL warehouse: connections, locks and the audit, for all packages that need them.

    connection   connections, and failures of the server as errors with a remedy
    locks        the advisory lock that serialises changes, and retries for locked relations
    sessions     sessions of logins, and a watcher that ends those that block the pipeline
    run_records  writes to audit.run: how a run began and ended
    runs         reads of audit.run: published inputs and the state that a new run starts from
    sql_files    the files of sql/: read, run and query them
    fetches      the state between fetches from the Spotify API
    feature_requests  the tracks to ask a service for audio features of
    entity_partitions, arrow_reads  partitions of users, tracks, artists and events, and their rows by ADBC
    stream_checks  the results of the checks of the streams
    cleanup      leftovers in staging and old rejected rows

Only this package and ``load`` import SQLAlchemy, apart from ``erasure.warehouse``.
"""

from etl.database.cleanup import clear_staging, sweep_warehouse
from etl.database.connection import (
    begin_snapshot,
    connect,
    explain_error,
    explain_sqlstate,
    fetch_rows,
    format_address,
    get_sqlstate,
    has_control_characters,
    libpq_url,
    make_engine,
)
from etl.database.locks import lock_landed_files, lock_warehouse, retry_when_locked
from etl.database.run_records import (
    EXTERNAL_END_MESSAGES,
    INTERRUPTED_MESSAGE,
    MARKED_FAILED_MESSAGE,
    TIMED_OUT_MESSAGE,
    delete_failure,
    mark_restarted,
    record_external_failure,
    record_failure,
    record_nothing_new,
)
from etl.database.runs import (
    EVENT_LOAD_JOB,
    EVENTS_SUFFIX,
    get_current_cluster_fit,
    get_last_published_at,
    get_latest_catalogue_state_id,
    get_latest_state_run_id,
    get_newness_bounds,
    has_release_after_bounds,
    list_match_decisions,
    list_published_input_ids,
)
from etl.database.sql_files import SQL_FOLDER, query_sql, read_sql, run_sql, run_statements, sql_path
from etl.database.stream_checks import delete_stream_checks, list_stream_checks, record_stream_checks

__all__ = [
    "EVENTS_SUFFIX",
    "EVENT_LOAD_JOB",
    "EXTERNAL_END_MESSAGES",
    "INTERRUPTED_MESSAGE",
    "MARKED_FAILED_MESSAGE",
    "SQL_FOLDER",
    "TIMED_OUT_MESSAGE",
    "begin_snapshot",
    "clear_staging",
    "connect",
    "delete_failure",
    "delete_stream_checks",
    "explain_error",
    "explain_sqlstate",
    "fetch_rows",
    "format_address",
    "get_current_cluster_fit",
    "get_last_published_at",
    "get_latest_catalogue_state_id",
    "get_latest_state_run_id",
    "get_newness_bounds",
    "get_sqlstate",
    "has_control_characters",
    "has_release_after_bounds",
    "libpq_url",
    "list_match_decisions",
    "list_published_input_ids",
    "list_stream_checks",
    "lock_landed_files",
    "lock_warehouse",
    "make_engine",
    "mark_restarted",
    "query_sql",
    "read_sql",
    "record_external_failure",
    "record_failure",
    "record_nothing_new",
    "record_stream_checks",
    "retry_when_locked",
    "run_sql",
    "run_statements",
    "sql_path",
    "sweep_warehouse",
]
