"""The ids of events in the live tables, by which duplicates are recognised."""

from alembic import op

revision = "0009_live_event_ids"
down_revision = "0008_service_plays"

_STATEMENTS = """
create table live.event_id_even (
    event_id uuid not null,
    constraint event_id_even_pkey primary key (event_id)
);

create table live.event_id_odd (
    event_id uuid not null,
    constraint event_id_odd_pkey primary key (event_id)
);

alter table live.batch
    add column id_turn integer not null default 0,
    add column id_turn_date date not null default date '1970-01-01';

alter table live.batch
    alter column id_turn drop default,
    alter column id_turn_date drop default;
"""


def upgrade() -> None:
    """Create the tables and columns. Their comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
