"""Writes the data dictionary and the star's diagram from a migrated warehouse.

    python -m docs.generate          write docs/dictionary.md
    python -m docs.generate --check  exit 1 where the file differs from the database

What it says comes from the database alone: its comments, types, keys and checks.
"""

import argparse
import sys
from pathlib import Path

from sqlalchemy import Connection

from etl import warehouse
from etl.config import settings

TARGET = Path(__file__).parent / "dictionary.md"
SCHEMAS = ("warehouse", "mart", "audit", "simulation", "staging")

_TABLES = """
SELECT n.nspname AS schema, c.relname AS name, c.oid::bigint AS oid,
       coalesce(obj_description(c.oid, 'pg_class'), '') AS comment
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition AND n.nspname = ANY(:schemas)
ORDER BY array_position(:schemas, n.nspname::text), c.relname
"""
_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS is_required,
       coalesce(col_description(a.attrelid, a.attnum), '') AS comment
FROM pg_attribute a WHERE a.attrelid = :oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_CONSTRAINTS = """
SELECT contype::text AS kind, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE conrelid = :oid AND contype IN ('p', 'u', 'f', 'c')
ORDER BY array_position(ARRAY['p', 'u', 'f', 'c'], contype::text), conname
"""
_REFERENCES = """
SELECT DISTINCT c.conrelid::regclass::text AS child, c.confrelid::regclass::text AS parent,
       (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)) AS columns
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype = 'f' AND c.conparentid = 0 AND n.nspname = 'warehouse'
ORDER BY 1, 2, 3
"""


def dictionary(connection: Connection) -> str:
    """The whole page as Markdown."""
    tables = warehouse.rows(connection, _TABLES, schemas=list(SCHEMAS))
    parts = [
        "# Data dictionary\n\nMade from the database by `python -m docs.generate`; do not edit.\n",
        _diagram(connection),
    ]
    for schema in SCHEMAS:
        of_schema = [table for table in tables if table["schema"] == schema]
        if of_schema:
            parts.append(f"## Schema {schema}\n")
            parts.extend(_table(connection, table) for table in of_schema)
    return "\n".join(parts)


def _diagram(connection: Connection) -> str:
    lines = ["## The star\n", "```mermaid", "erDiagram"]
    for reference in warehouse.rows(connection, _REFERENCES):
        parent, child = _plain(reference["parent"]), _plain(reference["child"])
        lines.append(f'    {parent} ||--o{{ {child} : "{reference["columns"]}"')
    return "\n".join([*lines, "```\n"])


def _plain(name: object) -> str:
    return str(name).rsplit(".", 1)[-1]


def _table(connection: Connection, table: dict[str, object]) -> str:
    columns = warehouse.rows(connection, _COLUMNS, oid=table["oid"])
    constraints = warehouse.rows(connection, _CONSTRAINTS, oid=table["oid"])
    lines = [f"### {table['schema']}.{table['name']}\n", f"{table['comment']}\n"]
    lines += ["| column | type | required | meaning |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{column['name']}` | {column['type']} | {'yes' if column['is_required'] else ''} "
        f"| {str(column['comment']).replace('|', chr(92) + '|')} |"
        for column in columns
    ]
    if constraints:
        lines += ["", *(f"- `{constraint['definition']}`" for constraint in constraints)]
    return "\n".join([*lines, ""])


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where the page is stale")
    is_check = parser.parse_args().check
    with warehouse.connect(settings().warehouse_url) as connection:
        page = dictionary(connection)
    if not is_check:
        TARGET.write_text(page, encoding="utf-8")
        return 0
    if TARGET.read_text(encoding="utf-8") == page:
        return 0
    sys.stderr.write("docs/dictionary.md is stale: run python -m docs.generate against a migrated warehouse.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
