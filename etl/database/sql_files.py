"""The SQL files of the folder sql/, each named by its path without the suffix: ``merge/dim_track``."""

from pathlib import Path

from sqlalchemy import Connection

from etl.database.connection import fetch_rows
from etl.settings import CHECKOUT

SQL_FOLDER = CHECKOUT / "sql"


def sql_path(name: str) -> Path:
    """Return the path of a SQL file."""
    return SQL_FOLDER / f"{name}.sql"


def read_sql(name: str) -> str:
    """Return the text of a SQL file."""
    return sql_path(name).read_text(encoding="utf-8")


def run_sql(connection: Connection, name: str) -> None:
    """Run all statements of a SQL file."""
    run_statements(connection, read_sql(name))


def query_sql(connection: Connection, name: str, **parameters: object) -> list[dict[str, object]]:
    """Return the rows of the query in a SQL file, each as a dictionary."""
    return fetch_rows(connection, read_sql(name), **parameters)


def run_statements(connection: Connection, statements: str) -> None:
    """Run SQL statements exactly as written, so that a colon or a percent sign in them is no parameter."""
    connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
