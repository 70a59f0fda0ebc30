"""The series that are not forecast, with the reason of each."""

from alembic import op

revision = "0014_forecast_refusals"
down_revision = "0013_any_period"

_STATEMENTS = """
create table mart.forecast_refusal (
    as_of_date date not null,
    metric text not null,
    grain text not null,
    level text not null,
    segment text collate "C" not null,
    reason text not null,
    constraint forecast_refusal_pkey primary key (metric, grain, level, segment),
    constraint forecast_refusal_grain_known check (grain in ('day', 'week')),
    constraint forecast_refusal_level_known check (
        level in ('total', 'continent', 'plan', 'continent_plan', 'artist', 'published_artist', 'listener')
    ),
    constraint forecast_refusal_metric_known check (metric in ('sessions', 'minutes', 'active_users'))
);
"""


def upgrade() -> None:
    """Create the table. Its comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
