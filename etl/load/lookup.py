"""Keys that the star has given: the queries of sql/lookup."""

import pyarrow as pa
from adbc_driver_postgresql import dbapi

from etl.config import CHECKOUT
from etl.warehouse import libpq_url

LOOKUPS = ("user", "artist", "track", "playlist", "context", "input", "made_id")


def keys(url: str) -> dict[str, pa.Table]:
    """The keys of all members that the staged events name, and ids made for those without one, as LOOKUPS says."""
    with dbapi.connect(libpq_url(url)) as connection, connection.cursor() as cursor:
        found = {}
        for name in LOOKUPS:
            cursor.execute((CHECKOUT / "sql" / "lookup" / f"{name}.sql").read_text(encoding="utf-8"))
            found[name] = cursor.fetch_arrow_table()
    return found
