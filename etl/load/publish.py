"""Staging into the star and the audit, in one transaction that the caller commits."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, text

from etl.config import CHECKOUT
from etl.load.checks import WHILE_PUBLISHING, run_checks
from etl.load.stream import Stream, streamed
from etl.warehouse import engine, rows

MERGES = (
    "dim_artist",
    "dim_album",
    "dim_genre",
    "unstaged_track",
    "dim_track",
    "track_alias",
    "inferred_recording",
    "bridge_track_artist",
    "guessed_artist",
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
    "dirt",
)
"""The files of sql/merge, each named for what it fills: what is pointed to comes first."""

STREAMED = frozenset({"dim_track"})
"""Tables whose new rows are many and wide: <table>_new.sql says them, for a COPY."""

_WORK_MEM = "512MB"
_FOLDER = CHECKOUT / "sql" / "merge"
_WRITTEN = """
    select relname as table_name, n_tup_ins + n_tup_upd + n_tup_del as row_count
    from pg_stat_xact_user_tables
    where schemaname = 'warehouse'
"""


@contextmanager
def new_rows(url: str) -> Iterator[dict[str, Stream]]:
    """Send the queries of ``STREAMED`` tables, over what is staged and published, so that their rows are on their way.

    :param url: of the warehouse; nobody else may stage or publish meanwhile.
    :returns: a stream for each table, for ``publish``.
    """
    with ExitStack() as stack:
        streams = {}
        for table in sorted(STREAMED):
            reader = stack.enter_context(engine(url).connect())
            reader.execute(text(f"set local work_mem = '{_WORK_MEM}'"))
            streams[table] = stack.enter_context(streamed(_read(f"{table}_new"), reader))
        yield streams


def publish(connection: Connection, streams: Mapping[str, Stream]) -> dict[str, int]:
    """Merge what is staged; only rows that change are written.

    :param streams: what ``new_rows`` gives for the same state of the warehouse.
    :returns: rows written by table of the star (added, changed or removed), without those of zero.
    :raises CheckFailedError: where the star would contradict itself; the caller then rolls back.
    """
    connection.execute(text(f"set local work_mem = '{_WORK_MEM}'"))
    written = merge_counted(connection, MERGES, streams)
    run_checks(connection, WHILE_PUBLISHING)
    return written


def merge_counted(
    connection: Connection, tables: Iterable[str], streams: Mapping[str, Stream] | None = None
) -> dict[str, int]:
    """Run files of ``sql/merge`` one after the other.

    :returns: rows written by table of the star, without those of zero.
    """
    before = _written(connection)
    for table in tables:
        merge(connection, table, streams or {})
    after = _written(connection)
    return {table: count - before.get(table, 0) for table, count in after.items() if count > before.get(table, 0)}


def merge(connection: Connection, table: str, streams: Mapping[str, Stream]) -> None:
    """Run the file of ``sql/merge`` that fills a table; new rows that come by a stream follow."""
    connection.exec_driver_sql(_read(table), execution_options={"no_parameters": True})
    if table in streams:
        streams[table].write(f"warehouse.{table}", connection)


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def _written(connection: Connection) -> dict[str, int]:
    return {str(row["table_name"]): int(str(row["row_count"])) for row in rows(connection, _WRITTEN)}
