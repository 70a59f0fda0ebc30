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

_FEWEST_BYTES = 8
"""Less of a secret is found by chance."""


@dataclass
class Plants:
    """What must not be found, by what it is."""

    values: dict[str, str] = field(default_factory=dict)

    def plant(self, what: str) -> str:
        """A new secret, which is looked for from now on."""
        return self.add(what, f"plant{secrets.token_hex(12)}")

    def add(self, what: str, value: str) -> str:
        """Look for a value that somebody else has made."""
        self.values[what] = value
        return value

    def found_in(self, content: bytes) -> list[str]:
        """What is in ``content``, as it is or in base64 or hexadecimal digits."""
        return [what for what, value in self.values.items() if any(form in content for form in _forms(value.encode()))]


def _forms(value: bytes) -> set[bytes]:
    # Base64 of a text within a longer one begins at any of three places; its first and last signs vary.
    shifted = (base64.b64encode(b"\0" * place + value)[4:-4] for place in range(3))
    return {value, value.hex().encode(), *(one for one in shifted if len(one) > _FEWEST_BYTES)}


def add_kept_secrets(plants: Plants, state: Path) -> None:
    """Look for all passwords and keys that the product has made for itself."""
    for path in sorted((state / "secrets").iterdir()):
        value = path.read_text(encoding="utf-8")
        if path.suffix not in (".json", ".done"):
            plants.add(f"secrets/{path.name}", value)


def in_files(plants: Plants, files: Iterable[Path]) -> tuple[int, dict[Path, list[str]]]:
    """Search files as they lie on the disk.

    :returns: how many there were; what each of them holds, where it holds anything.
    """
    count, found = 0, {}
    for path in files:
        try:
            content = path.read_bytes()
        except OSError:
            continue
        count += 1
        if what := plants.found_in(content):
            found[path] = what
    return count, found


_TABLES = """
    select n.nspname, c.relname
    from pg_class as c
    inner join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname <> 'information_schema' and n.nspname not like 'pg_toast%'
        and has_table_privilege(c.oid, 'select')
"""


def in_database(plants: Plants, libpq_url: str) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Search every row of every table of a database, and what the server says of roles and settings.

    :returns: rows by table; what each table holds, where it holds anything.
    """
    rows: dict[str, int] = {}
    found: dict[str, set[str]] = {}
    with closing(psycopg2.connect(libpq_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(_TABLES)
        for schema, table in cursor.fetchall():
            try:
                cursor.execute(sql.SQL("select t::text from {}.{} as t").format(*map(sql.Identifier, (schema, table))))
            except UndefinedTable:  # of a load that has ended meanwhile
                continue
            rows[f"{schema}.{table}"] = cursor.rowcount
            for (row,) in cursor:
                if what := plants.found_in(row.encode()):
                    found.setdefault(f"{schema}.{table}", set()).update(what)
    return rows, {name: sorted(what) for name, what in found.items()}


def rows_of(rows: Mapping[str, int], *names: str) -> int:
    """How many rows some tables had, by the ends of their names."""
    return sum(count for table, count in rows.items() if table.endswith(names))
