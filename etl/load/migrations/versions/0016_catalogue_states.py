"""The state of each published catalogue in the lake, and loads that have changes only."""

from alembic import op

revision = "0016_catalogue_states"
down_revision = "0015_own_items_and_periods"

_STATEMENTS = """
alter table audit.run add column catalogue_state_id text collate "C";

alter table staging.load add column has_changes_only boolean default false not null;

create view staging.retained_input as
select i.input_id, n.rows_loaded, n.rows_duplicate, n.rows_rejected
from staging.load as l
inner join audit.run_input as i on i.run_id = l.run_id
cross join lateral (
    select c.rows_loaded, c.rows_duplicate, c.rows_rejected
    from audit.row_count as c
    inner join audit.run as r on r.run_id = c.run_id
    where c.input_id = i.input_id and c.step = 'load_catalogue' and r.result = 'published'
    order by r.finished_at desc
    limit 1
) as n
where l.has_changes_only
    and not exists (select from staging.input_key as k where k.input_id = i.input_id)
    and not exists (select from staging.rejected_row as s where s.input_id = i.input_id);
"""


def upgrade() -> None:
    """Add the columns. Their comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
