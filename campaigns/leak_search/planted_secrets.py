"""Unmistakable secrets and private fields, and the search for them."""

import base64
import secrets
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.errors import UndefinedTable

_MIN_ENCODED_BYTES = 8
"""Shorter parts of a secret are found by chance."""


@dataclass
class PlantedSecrets:
    """The secrets that must not be found, by label."""

    values: dict[str, str] = field(default_factory=dict)

    def plant_secret(self, label: str) -> str:
        """Return a new secret, which later searches look for."""
        return self.add_secret(label, f"plant{secrets.token_hex(12)}")

    def add_secret(self, label: str, value: str) -> str:
        """Look for a value that another user has created."""
        self.values[label] = value
        return value

    def find_in(self, content: bytes) -> list[str]:
        """Return the labels of secrets in ``content``, plain or in base64 or hexadecimal digits."""
        return [
            label
            for label, value in self.values.items()
            if any(form in content for form in _list_encoded_forms(value.encode()))
        ]


def _list_encoded_forms(value: bytes) -> set[bytes]:
    # Base64 of a text within a longer one begins at one of three offsets; its first and last characters vary.
    shifted = (base64.b64encode(b"\0" * offset + value)[4:-4] for offset in range(3))
    return {value, value.hex().encode(), *(encoded for encoded in shifted if len(encoded) > _MIN_ENCODED_BYTES)}


def add_stored_secrets(planted: PlantedSecrets, state: Path) -> None:
    """Look for all passwords and keys that the product has created."""
    for path in sorted((state / "secrets").iterdir()):
        value = path.read_text(encoding="utf-8")
        if path.suffix not in (".json", ".done"):
            planted.add_secret(f"secrets/{path.name}", value)


def search_files(planted: PlantedSecrets, files: Iterable[Path]) -> tuple[int, dict[Path, list[str]]]:
    """Search the raw content of files.

    :returns: the number of files; the secrets in each file that contains any.
    """
    count, labels_by_path = 0, {}
    for path in files:
        try:
            content = path.read_bytes()
        except OSError:
            continue
        count += 1
        if labels := planted.find_in(content):
            labels_by_path[path] = labels
    return count, labels_by_path


_TABLES_QUERY = """
    select n.nspname, c.relname
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname <> 'information_schema' and n.nspname not like 'pg_toast%'
        and has_table_privilege(c.oid, 'select')
"""


def search_database(planted: PlantedSecrets, libpq_url: str) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Search every row of every table of a database, and the server's roles and settings.

    :returns: rows by table; the secrets in each table that contains any.
    """
    rows: dict[str, int] = {}
    labels_by_table: dict[str, set[str]] = {}
    with closing(psycopg2.connect(libpq_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(_TABLES_QUERY)
        for schema, table in cursor.fetchall():
            try:
                cursor.execute(sql.SQL("select t::text from {}.{} as t").format(*map(sql.Identifier, (schema, table))))
            except UndefinedTable:  # dropped by a load that has ended since
                continue
            rows[f"{schema}.{table}"] = cursor.rowcount
            for (row,) in cursor:
                if labels := planted.find_in(row.encode()):
                    labels_by_table.setdefault(f"{schema}.{table}", set()).update(labels)
    return rows, {name: sorted(labels) for name, labels in labels_by_table.items()}


def count_rows(rows: Mapping[str, int], *names: str) -> int:
    """Return the number of rows of tables, by the suffix of their names."""
    return sum(count for table, count in rows.items() if table.endswith(names))
