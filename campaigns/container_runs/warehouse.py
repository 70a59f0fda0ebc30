"""The rows of the warehouse that a project serves, as digests that can be compared."""

from etl import database

_TABLES_QUERY = """
select format('%I.%I', n.nspname, c.relname) as name
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = any(:schemas) and c.relkind in ('r', 'p') and not c.relispartition
order by 1
"""
_SCHEMAS = ["warehouse", "mart", "audit", "simulation"]


def read_digests(url: str) -> dict[str, tuple[int, str]]:
    """Return the number of rows and a digest of all rows, whatever their order, by table."""
    digests = {}
    with database.connect(url) as connection:
        for row in database.fetch_rows(connection, _TABLES_QUERY, schemas=_SCHEMAS):
            query = f"select count(*) as row_count, sum(hashtextextended(t::text, 0))::text as digest from {row['name']} as t"  # noqa: S608, E501 names of our own tables
            [result] = database.fetch_rows(connection, query)
            digests[str(row["name"])] = (int(str(result["row_count"])), str(result["digest"]))
    return digests


def list_differences(before: dict[str, tuple[int, str]], after: dict[str, tuple[int, str]]) -> list[str]:
    """Return the tables whose rows differ, with their numbers of rows; tables that are only in ``after`` may be new."""
    return [
        f"{name}: {before[name][0]} rows before, {after.get(name, (0, ''))[0]} after"
        for name in before
        if before[name] != after.get(name)
    ]


def delete_events(url: str) -> int:
    """Delete all listening events, as by a mistake; return their number."""
    with database.connect(url) as connection:
        [row] = database.fetch_rows(
            connection, "with gone as (delete from warehouse.fact_event returning 1) select count(*) as n from gone"
        )
    return int(str(row["n"]))
