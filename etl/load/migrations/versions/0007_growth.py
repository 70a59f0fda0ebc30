"""The truth about growing populations: when listeners sign up and leave, outages and holidays."""

from alembic import op

revision = "0007_growth"
down_revision = "0006_forecasts"

_STATEMENTS = """
alter table simulation.listener
    add column sign_up_date date,
    add column churn_date date,
    add constraint listener_churns_after_sign_up check (sign_up_date < churn_date);

alter table staging.listener
    add column sign_up_date date,
    add column churn_date date;

create unlogged table staging.outage (
    population text collate "C",
    started_at timestamptz,
    ended_at timestamptz
);

create unlogged table staging.holiday (
    country text collate "C",
    holiday_date date
);

create table simulation.outage (
    population text collate "C" not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    constraint outage_pkey primary key (population, started_at),
    constraint outage_lasts check (started_at < ended_at)
);

create table simulation.holiday (
    holiday_date date not null,
    country text collate "C" not null,
    constraint holiday_pkey primary key (country, holiday_date)
);
"""


def upgrade() -> None:
    """Create the columns and tables. Their comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
