"""The truth behind made-up listeners: the files of sql/table/simulation, and its staging."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0003"
down_revision = "0002"

_FILES = (
    "table/simulation/listener",
    "table/simulation/dirt",
    "table/staging/listener",
    "table/staging/dirt",
)
_STAGED_COMMENTS = """
do $$
declare
    staged record;
begin
    for staged in
        select t.relname, a.attname, col_description(t.oid, a.attnum) as description
        from pg_class as t
        join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0
        where t.relnamespace = 'simulation'::regnamespace and t.relname in ('listener', 'dirt')
    loop
        execute format('comment on column staging.%I.%I is %L', staged.relname, staged.attname, staged.description);
    end loop;
end
$$;
"""


def upgrade() -> None:
    """Make both tables, and those that they are filled through, which mean the same."""
    connection = op.get_bind()
    statements = [(CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8") for name in _FILES]
    for statement in (*statements, _STAGED_COMMENTS):
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
