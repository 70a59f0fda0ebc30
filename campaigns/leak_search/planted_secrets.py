"""Secrets and private fields that nobody could mistake for anything else, and how they are found again."""

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
"""Less of a secret is found by chance."""


@dataclass
class PlantedSecrets:
    """What must not be found, by what it is."""

    values: dict[str, str] = field(default_factory=dict)

    def plant_secret(self, label: str) -> str:
        """A new secret, which is looked for from now on."""
        return self.add_secret(label, f"plant{secrets.token_hex(12)}")

    def add_secret(self, label: str, value: str) -> str:
        """Look for a value that another user has made."""
        self.values[label] = value
        return value

    def find_in(self, content: bytes) -> list[str]:
        """What is in ``content``, as it is or in base64 or hexadecimal digits."""
        return [
            label
            for label, value in self.values.items()
            if any(form in content for form in _list_encoded_forms(value.encode()))
        ]


def _list_encoded_forms(value: bytes) -> set[bytes]:
    # Base64 of a text within a longer one begins at any of three places; its first and last signs vary.
    shifted = (base64.b64encode(b"\0" * offset + value)[4:-4] for offset in range(3))
    return {value, value.hex().encode(), *(encoded for encoded in shifted if len(encoded) > _MIN_ENCODED_BYTES)}


def add_stored_secrets(planted: PlantedSecrets, state: Path) -> None:
    """Look for all passwords and keys that the product has made for itself."""
    for path in sorted((state / "secrets").iterdir()):
        value = path.read_text(encoding="utf-8")
        if path.suffix not in (".json", ".done"):
            planted.add_secret(f"secrets/{path.name}", value)


def search_files(planted: PlantedSecrets, files: Iterable[Path]) -> tuple[int, dict[Path, list[str]]]:
    """Search files as they lie on the disk.

    :returns: how many there were; what each of them holds, where it holds anything.
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
    """Search every row of every table of a database, and what the server says of roles and settings.

    :returns: rows by table; what each table holds, where it holds anything.
    """
    rows: dict[str, int] = {}
    labels_by_table: dict[str, set[str]] = {}
    with closing(psycopg2.connect(libpq_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(_TABLES_QUERY)
        for schema, table in cursor.fetchall():
            try:
                cursor.execute(sql.SQL("select t::text from {}.{} as t").format(*map(sql.Identifier, (schema, table))))
            except UndefinedTable:  # of a load that has ended meanwhile
                continue
            rows[f"{schema}.{table}"] = cursor.rowcount
            for (row,) in cursor:
                if labels := planted.find_in(row.encode()):
                    labels_by_table.setdefault(f"{schema}.{table}", set()).update(labels)
    return rows, {name: sorted(labels) for name, labels in labels_by_table.items()}


def count_rows(rows: Mapping[str, int], *names: str) -> int:
    """How many rows some tables had, by the ends of their names."""
    return sum(count for table, count in rows.items() if table.endswith(names))
