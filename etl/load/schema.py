"""Creation of a new warehouse: the files of sql/schema, one relation, function or type each.

A file runs after the files whose objects it names, so a new file needs no entry in a list.
"""

import re
from graphlib import TopologicalSorter

from sqlalchemy import Connection

from etl.database import SQL_FOLDER, read_sql, run_sql, run_statements

_FOLDER = SQL_FOLDER / "schema"
_TEXT = re.compile(r"--[^\n]*|\$\$.*?\$\$|'(?:[^']|'')*'", re.DOTALL)
"""Comments, bodies of functions and strings. PostgreSQL resolves the names in a body when the function is called."""

_NAME = re.compile(r"\b[a-z_]+\.[a-z_]+\b")
_COMMENT = re.compile(r"^comment on .*?';$", re.DOTALL | re.MULTILINE)


def create_schema(connection: Connection) -> None:
    """Create all schemas with their relations, and the dimension members "not applicable" and "unknown"."""
    run_statements(connection, "set local check_function_bodies = off")
    for name in creation_order():
        run_sql(connection, name)


def comment_schema(connection: Connection) -> None:
    """Set the comments of sql/schema on all objects, so that a changed comment needs no revision."""
    comments = [comment for name in creation_order() for comment in _COMMENT.findall(read_sql(name))]
    run_statements(connection, "\n".join(comments))


def creation_order() -> list[str]:
    """Return the SQL files of all schemas, then those of their objects, each after the files that it depends on."""
    schemas = [f"schema/{path.stem}" for path in sorted(_FOLDER.glob("*.sql"))]
    paths = sorted(_FOLDER.glob("*/*.sql"))
    files = {f"{path.parent.name}.{path.stem}": f"schema/{path.parent.name}/{path.stem}" for path in paths}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, file in files.items():
        references = set(_NAME.findall(_TEXT.sub("", read_sql(file)))) & files.keys() - {name}
        sorter.add(file, *(files[reference] for reference in sorted(references)))
    return [*schemas, *sorter.static_order()]
