"""Checks before publication: queries over staging (sql/check) that return the rows that must not be published."""

import logging
from pathlib import Path

from sqlalchemy import Connection, text

from etl.database import SQL_FOLDER, fetch_rows
from etl.errors import CheckFailedError

log = logging.getLogger(__name__)

CHECKS_BEFORE_PUBLISHING = SQL_FOLDER / "check"
CHECKS_WHILE_PUBLISHING = CHECKS_BEFORE_PUBLISHING / "published"
_SHOWN_ROWS = 5
_SHOWN_CHARACTERS = 300


def run_checks(connection: Connection, folder: Path) -> None:
    """Run all checks of a folder, also after one has failed.

    :raises CheckFailedError: if any query returns a row; the message has each failed check's name, description (the
        first comment of its file) and first rows.
    """
    connection.execute(text("set local work_mem = '256MB'"))
    findings = [finding for path in sorted(folder.glob("*.sql")) if (finding := _run_check(connection, path))]
    if findings:
        raise CheckFailedError("Nothing was published. " + " ".join(findings))


def _run_check(connection: Connection, path: Path) -> str | None:
    query = path.read_text(encoding="utf-8")
    description = query.splitlines()[0].removeprefix("-- ")
    offending_rows = fetch_rows(
        connection,
        f"with offending as materialized (\n{query}\n)"  # noqa: S608 (the query is a file of sql/)
        " select (select count(*) from offending) as offending_count, * from offending limit :shown",
        shown=_SHOWN_ROWS,
    )
    if not offending_rows:
        return None
    count = offending_rows[0]["offending_count"]
    examples = "; ".join(_format_row(row) for row in offending_rows)
    log.error("Check %s: %s rows.", path.stem, count)
    return f"Check {path.stem}: {description} {count} rows, such as: {examples}."


def _format_row(row: dict[str, object]) -> str:
    columns = {name: value for name, value in row.items() if name != "offending_count"}
    formatted = ", ".join(
        f"{name} {value!r}" if isinstance(value, str) else f"{name} {value}" for name, value in columns.items()
    )
    return formatted if len(formatted) <= _SHOWN_CHARACTERS else formatted[:_SHOWN_CHARACTERS] + "…"
