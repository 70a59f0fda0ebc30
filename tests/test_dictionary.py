"""The data dictionary matches the database, and all database objects have a comment."""

from docs.generate_dictionary import TARGET, render_dictionary
from etl import database

_WITHOUT_COMMENT = """
select format('%s.%s.%s', n.nspname, c.relname, coalesce(a.attname, '')) as name
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname in ('warehouse', 'mart', 'live', 'audit', 'simulation') and c.relkind in ('r', 'p', 'v', 'm')
    and (obj_description(c.oid, 'pg_class') is null or col_description(c.oid, a.attnum) is null)
order by name
"""


def test_the_dictionary_is_up_to_date(warehouse_url: str) -> None:
    with database.connect(warehouse_url) as connection:
        page = render_dictionary(connection)
    assert TARGET.read_text(encoding="utf-8") == page, "run python -m docs.generate_dictionary"


def test_every_table_and_column_is_explained(warehouse_url: str) -> None:
    with database.connect(warehouse_url) as connection:
        assert database.fetch_rows(connection, _WITHOUT_COMMENT) == []
