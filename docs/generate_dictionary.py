"""Writes the data dictionary and the star's diagram: what a new warehouse of sql/schema says about itself.

    python -m docs.generate_dictionary    writes docs/dictionary.md

The page comes from the database alone: its comments, types, keys and checks.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from etl import database
from etl.load.migrate import migrate_warehouse
from launch import postgres

TARGET = Path(__file__).parent / "dictionary.md"
SCHEMAS = ("warehouse", "mart", "live", "audit", "simulation", "staging")

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


def render_dictionary(connection: Connection) -> str:
    """Return the whole page as Markdown."""
    tables = database.fetch_rows(connection, _TABLES, schemas=list(SCHEMAS))
    sections = [
        "# Data dictionary\n\nMade from the database by `python -m docs.generate_dictionary`; do not edit.\n",
        _render_diagram(connection),
    ]
    for schema in SCHEMAS:
        tables_of_schema = [table for table in tables if table["schema"] == schema]
        if tables_of_schema:
            sections.append(f"## Schema {schema}\n")
            sections.extend(_render_table(connection, table) for table in tables_of_schema)
    return "\n".join(sections)


def _render_diagram(connection: Connection) -> str:
    lines = ["## The star\n", "```mermaid", "erDiagram"]
    for reference in database.fetch_rows(connection, _REFERENCES):
        parent, child = _strip_schema(reference["parent"]), _strip_schema(reference["child"])
        lines.append(f'    {parent} ||--o{{ {child} : "{reference["columns"]}"')
    return "\n".join([*lines, "```\n"])


def _strip_schema(name: object) -> str:
    return str(name).rsplit(".", 1)[-1]


def _render_table(connection: Connection, table: dict[str, object]) -> str:
    columns = database.fetch_rows(connection, _COLUMNS, oid=table["oid"])
    constraints = database.fetch_rows(connection, _CONSTRAINTS, oid=table["oid"])
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


def main() -> None:
    """Write the page of a new warehouse, on a PostgreSQL of its own that is removed afterwards."""
    with TemporaryDirectory() as folder:
        server = postgres.start_server(Path(folder))
        try:
            url = server.build_url("loader", "warehouse")
            migrate_warehouse(url)
            with database.connect(url) as connection:
                TARGET.write_text(render_dictionary(connection), encoding="utf-8")
        finally:
            postgres.remove_servers(Path(folder))


if __name__ == "__main__":
    main()
