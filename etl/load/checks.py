"""Queries over staging (sql/check), each of which returns the rows that must not be published."""

import logging
from pathlib import Path

from sqlalchemy import Connection, text

from etl.config import CHECKOUT
from etl.errors import CheckFailedError
from etl.warehouse import rows

log = logging.getLogger(__name__)

BEFORE_PUBLISHING = CHECKOUT / "sql" / "check"
WHILE_PUBLISHING = BEFORE_PUBLISHING / "published"
_SHOWN_ROWS = 5
_SHOWN_CHARACTERS = 300


def run_checks(connection: Connection, folder: Path) -> None:
    """Run all checks of a folder, all of them even where one finds something.

    :raises CheckFailedError: where any returns a row; the text has each such check's name, sentence and first rows.
    """
    connection.execute(text("set local work_mem = '256MB'"))
    findings = [finding for path in sorted(folder.glob("*.sql")) if (finding := _finding(connection, path))]
    if findings:
        raise CheckFailedError("Nothing was published. " + " ".join(findings))


def _finding(connection: Connection, path: Path) -> str | None:
    query = path.read_text(encoding="utf-8")
    sentence = query.splitlines()[0].removeprefix("-- ")
    found = rows(
        connection,
        f"with offending as materialized (\n{query}\n)"  # noqa: S608 (the query is a file of ours)
        " select (select count(*) from offending) as offending_count, * from offending limit :shown",
        shown=_SHOWN_ROWS,
    )
    if not found:
        return None
    count = found[0]["offending_count"]
    examples = "; ".join(_words(row) for row in found)
    log.error("Check %s: %s rows.", path.stem, count)
    return f"Check {path.stem}: {sentence} {count} rows, such as: {examples}."


def _words(row: dict[str, object]) -> str:
    named = {name: value for name, value in row.items() if name != "offending_count"}
    words = ", ".join(
        f"{name} {value!r}" if isinstance(value, str) else f"{name} {value}" for name, value in named.items()
    )
    return words if len(words) <= _SHOWN_CHARACTERS else words[:_SHOWN_CHARACTERS] + "…"
