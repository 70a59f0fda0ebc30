"""Fresh warehouses on a server of the benchmark's own."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import psycopg2.extensions
from sqlalchemy import text

from etl.database import make_engine
from etl.load.migrate import migrate_warehouse
from launch import postgres


class FreshWarehouses:
    """A server, and a migrated database of which copies are made."""

    def __init__(self, server: postgres.Server) -> None:
        self.server = server
        self._numbers = count(1)
        self.run_as_superuser("create database template_star owner loader")
        migrate_warehouse(server.build_url("loader", "template_star"))

    def run_as_superuser(self, statement: str) -> None:
        engine = make_engine(self.server.build_url("postgres", "postgres"))
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    @contextmanager
    def create_warehouse(self) -> Iterator[str]:
        """Open a fresh warehouse after a checkpoint; it is dropped at the end."""
        name = f"bench_{next(self._numbers)}"
        self.run_as_superuser(f"create database {name} template template_star owner loader")
        self.run_as_superuser("checkpoint")
        yield self.server.build_url("loader", name)
        self.run_as_superuser(f"drop database {name} with (force)")


@contextmanager
def start_benchmark_server() -> Iterator[tuple[postgres.Server, Path]]:
    """Start a server in a temporary folder; both are removed at the end, also if the benchmark is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp())
    server = postgres.start_server(folder)
    try:
        yield server, folder
    finally:
        postgres.remove_servers(folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_cursor(url: str) -> Iterator[psycopg2.extensions.cursor]:
    """Open a cursor of psycopg2 whose transaction is committed at the end."""
    with closing(make_engine(url).raw_connection()) as connection:
        yield connection.cursor()  # type: ignore[misc]  # SQLAlchemy types it as any driver's
        connection.commit()
