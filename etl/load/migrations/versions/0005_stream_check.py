"""The results of the checks of the streams."""

from alembic import op

revision = "0005_stream_check"
down_revision = "0004_live"

_STATEMENTS = """
create table audit.stream_check (
    checked_at timestamptz not null,
    value bigint not null,
    is_passed boolean not null,
    check_name text not null,
    run_id text collate "C" not null,
    message text not null,
    details jsonb not null,
    constraint stream_check_pkey primary key (checked_at, check_name)
);
"""


def upgrade() -> None:
    """Create the table. Its comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
