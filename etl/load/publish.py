"""Publication: merge staging into the star and the audit, in one transaction that the caller commits."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, text

from etl.database import fetch_rows, make_engine, read_sql, run_sql
from etl.load.checks import CHECKS_WHILE_PUBLISHING, run_checks
from etl.load.query_copy import QueryStream, open_query_stream

MERGE_FILES = (
    "dim_artist",
    "dim_album",
    "dim_genre",
    "unstaged_track",
    "dim_track",
    "provider_features",
    "track_alias",
    "applied_match_decision",
    "inferred_recording",
    "bridge_track_artist",
    "name_matched_artist",
    "bridge_track_genre",
    "dim_playlist",
    "superseded_playlist",
    "fact_playlist_track",
    "fact_track_popularity",
    "fact_artist_popularity",
    "user_record",
    "dim_user",
    "survey_response",
    "cluster_fit",
    "dim_audio_cluster",
    "rejected_row",
    "reconciliation",
    "account_owner",
    "refresh_state",
    "row_count",
    "listener",
    "anomaly_episode",
    "outage",
    "holiday",
    "injected_error",
)
"""The files of sql/merge, each named after the table that it fills, in the order of their foreign keys."""

STREAMED_TABLES = frozenset({"dim_track"})
"""Tables with many and wide new rows: the query <table>_new.sql returns them, for a COPY."""

_WORK_MEM = "512MB"
_WRITTEN_ROWS = """
    select relname as table_name, n_tup_ins + n_tup_upd + n_tup_del as row_count
    from pg_stat_xact_user_tables
    where schemaname = 'warehouse'
"""


@contextmanager
def start_new_row_streams(url: str) -> Iterator[dict[str, QueryStream]]:
    """Start the queries for the new rows of ``STREAMED_TABLES``, over staged and published rows.

    :param url: of the warehouse; the caller has its lock, so that both stay as they are.
    :returns: a stream for each table, for ``publish_staged_rows``.
    """
    with ExitStack() as stack:
        streams = {}
        for table in sorted(STREAMED_TABLES):
            reader = stack.enter_context(make_engine(url).connect())
            reader.execute(text(f"set local work_mem = '{_WORK_MEM}'"))
            streams[table] = stack.enter_context(open_query_stream(read_sql(f"merge/{table}_new"), reader))
        yield streams


def publish_staged_rows(connection: Connection, streams: Mapping[str, QueryStream]) -> dict[str, int]:
    """Merge the staged rows; only rows that change are written.

    :param streams: as ``start_new_row_streams`` returns them for the same state of the warehouse.
    :returns: the number of rows added, changed or removed, by table of the star, without zeros.
    :raises CheckFailedError: if the star would be inconsistent; the caller then rolls back.
    """
    connection.execute(text(f"set local work_mem = '{_WORK_MEM}'"))
    written_rows = merge_and_count(connection, MERGE_FILES, streams)
    run_checks(connection, CHECKS_WHILE_PUBLISHING)
    return written_rows


def merge_and_count(
    connection: Connection, tables: Iterable[str], streams: Mapping[str, QueryStream] | None = None
) -> dict[str, int]:
    """Run files of ``sql/merge`` in the given order.

    :returns: rows written by table of the star, without zeros.
    """
    rows_before = _count_written_rows(connection)
    for table in tables:
        merge_table(connection, table, streams or {})
    rows_after = _count_written_rows(connection)
    return {
        table: count - rows_before.get(table, 0)
        for table, count in rows_after.items()
        if count > rows_before.get(table, 0)
    }


def merge_table(connection: Connection, table: str, streams: Mapping[str, QueryStream]) -> None:
    """Run the file of ``sql/merge`` for a table, then write the new rows of its stream, if it has one."""
    run_sql(connection, f"merge/{table}")
    if table in streams:
        streams[table].write_to_table(f"warehouse.{table}", connection)


def _count_written_rows(connection: Connection) -> dict[str, int]:
    return {str(row["table_name"]): int(str(row["row_count"])) for row in fetch_rows(connection, _WRITTEN_ROWS)}
