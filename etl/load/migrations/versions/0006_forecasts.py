"""Forecasts: their runs, series, champions and scores, anomalous days, and the days that an input covers."""

from alembic import op

revision = "0006_forecasts"
down_revision = "0005_stream_check"

_STATEMENTS = """
alter table audit.arrival add column covered_days datemultirange;

update audit.arrival
set covered_days = datemultirange(
    daterange(
        cast(first_event_time at time zone 'UTC' as date), cast(last_event_time at time zone 'UTC' as date), '[]'
    )
);

alter table audit.arrival alter column covered_days set not null;

create table audit.forecast_run (
    made_at timestamptz not null,
    processor_seconds double precision not null,
    as_of_date date not null,
    seed integer not null,
    series_count integer not null,
    refused_count integer not null,
    horizon_days smallint not null,
    horizon_weeks smallint not null,
    is_training boolean not null,
    run_id text collate "C" not null,
    data_hash text not null,
    code_version text not null,
    model_path text,
    levels text[] not null,
    versions jsonb not null,
    settings jsonb not null,
    seconds jsonb not null,
    constraint forecast_run_pkey primary key (run_id),
    constraint forecast_run_run_id_fkey foreign key (run_id) references audit.run,
    constraint forecast_run_counts_not_negative check (series_count >= 0 and refused_count >= 0)
);

create index forecast_run_as_of_date_idx on audit.forecast_run (as_of_date);

create table mart.forecast_series (
    value double precision not null,
    target_date date not null,
    metric text not null,
    grain text not null,
    level text not null,
    segment text collate "C" not null,
    constraint forecast_series_pkey primary key (metric, grain, level, segment, target_date),
    constraint forecast_series_grain_known check (grain in ('day', 'week')),
    constraint forecast_series_level_known check (
        level in ('total', 'continent', 'plan', 'continent_plan', 'artist', 'published_artist', 'listener')
    ),
    constraint forecast_series_metric_known check (metric in ('sessions', 'minutes', 'active_users'))
);

create table mart.forecast (
    made_at timestamptz not null,
    naive double precision,
    q025 double precision not null,
    q10 double precision not null,
    q50 double precision not null,
    q90 double precision not null,
    q975 double precision not null,
    as_of_date date not null,
    target_date date not null,
    horizon smallint not null,
    metric text not null,
    grain text not null,
    level text not null,
    segment text collate "C" not null,
    model text not null,
    run_id text collate "C" not null,
    constraint forecast_pkey primary key (metric, grain, level, segment, as_of_date, target_date, made_at),
    constraint forecast_horizon_positive check (horizon > 0),
    constraint forecast_grain_known check (grain in ('day', 'week')),
    constraint forecast_level_known check (
        level in ('total', 'continent', 'plan', 'continent_plan', 'artist', 'published_artist', 'listener')
    ),
    constraint forecast_metric_known check (metric in ('sessions', 'minutes', 'active_users'))
);

create index forecast_run_id_idx on mart.forecast (run_id);

create view mart.forecast_accuracy as
with newest as (
    select distinct on (f.metric, f.grain, f.level, f.segment, f.as_of_date, f.target_date) f.*
    from mart.forecast as f
    order by f.metric, f.grain, f.level, f.segment, f.as_of_date, f.target_date, f.made_at desc, f.run_id desc
)

select
    n.metric,
    n.grain,
    n.level,
    n.segment,
    n.as_of_date,
    n.target_date,
    n.horizon,
    n.model,
    n.run_id,
    n.naive,
    n.q025,
    n.q10,
    n.q50,
    n.q90,
    n.q975,
    s.value,
    s.value - n.q50 as error,
    s.value - n.naive as naive_error,
    s.value between n.q10 and n.q90 as is_in_80,
    s.value between n.q025 and n.q975 as is_in_95
from newest as n
inner join mart.forecast_series as s
    on s.metric = n.metric
        and s.grain = n.grain
        and s.level = n.level
        and s.segment = n.segment
        and s.target_date = n.target_date;

create table mart.forecast_score (
    made_at timestamptz not null,
    mase double precision,
    naive_mase double precision,
    wql double precision,
    coverage_80 double precision,
    coverage_95 double precision,
    origin_date date not null,
    metric text not null,
    grain text not null,
    level text not null,
    segment text collate "C" not null,
    model text not null,
    run_id text collate "C" not null,
    constraint forecast_score_pkey primary key (run_id, metric, grain, level, segment, model, origin_date),
    constraint forecast_score_grain_known check (grain in ('day', 'week')),
    constraint forecast_score_level_known check (
        level in ('total', 'continent', 'plan', 'continent_plan', 'artist', 'published_artist', 'listener')
    ),
    constraint forecast_score_metric_known check (metric in ('sessions', 'minutes', 'active_users'))
);

create table mart.forecast_champion (
    made_at timestamptz not null,
    relative_to_naive double precision,
    mase double precision,
    coverage_80 double precision,
    coverage_95 double precision,
    origin_count integer not null,
    better_origin_count integer not null,
    metric text not null,
    grain text not null,
    level text not null,
    model text,
    previous_model text,
    reason text not null,
    run_id text collate "C" not null,
    constraint forecast_champion_pkey primary key (metric, grain, level, run_id),
    constraint forecast_champion_grain_known check (grain in ('day', 'week')),
    constraint forecast_champion_level_known check (
        level in ('total', 'continent', 'plan', 'continent_plan', 'artist', 'published_artist', 'listener')
    ),
    constraint forecast_champion_metric_known check (metric in ('sessions', 'minutes', 'active_users'))
);

create table mart.anomalous_day (
    value double precision not null,
    expected double precision not null,
    score double precision not null,
    target_date date not null,
    metric text not null,
    grain text not null,
    level text not null,
    segment text collate "C" not null,
    reason text not null,
    run_id text collate "C" not null,
    constraint anomalous_day_pkey primary key (metric, grain, level, segment, target_date),
    constraint anomalous_day_grain_known check (grain in ('day', 'week')),
    constraint anomalous_day_level_known check (
        level in ('total', 'continent', 'plan', 'continent_plan', 'artist', 'published_artist', 'listener')
    ),
    constraint anomalous_day_metric_known check (metric in ('sessions', 'minutes', 'active_users'))
);

create view mart.my_forecast with (security_barrier) as
select
    m.segment as user_id,
    m.metric,
    m.grain,
    m.as_of_date,
    m.target_date,
    m.horizon,
    m.model,
    m.run_id,
    m.made_at,
    m.naive,
    m.q025,
    m.q10,
    m.q50,
    m.q90,
    m.q975,
    m.run_id = (
        select r.run_id
        from audit.forecast_run as r
        where 'listener' = any(r.levels)
        order by r.as_of_date desc, r.made_at desc
        limit 1
    ) as is_current
from mart.forecast as m
where m.level = 'listener' and m.segment = (select s.user_id from audit.signed_in as s);

create view mart.my_forecast_series with (security_barrier) as
select
    m.segment as user_id,
    m.metric,
    m.grain,
    m.target_date,
    m.value
from mart.forecast_series as m
where m.level = 'listener' and m.segment = (select s.user_id from audit.signed_in as s);

create view mart.my_artist_forecast with (security_barrier) as
select
    m.metric,
    m.grain,
    m.as_of_date,
    m.target_date,
    m.horizon,
    m.model,
    m.run_id,
    m.made_at,
    m.q025,
    m.q10,
    m.q50,
    m.q90,
    m.q975,
    (
        select max(s.target_date)
        from mart.forecast_series as s
        where s.metric = m.metric and s.grain = m.grain and s.level = m.level and s.segment = m.segment
    ) as last_published_week,
    m.run_id = (
        select r.run_id
        from audit.forecast_run as r
        where 'published_artist' = any(r.levels)
        order by r.as_of_date desc, r.made_at desc
        limit 1
    ) as is_current
from mart.forecast as m
inner join warehouse.dim_artist as a on a.artist_key::text = m.segment
where m.level = 'published_artist' and a.artist_id = (select s.artist_id from audit.signed_in as s);
"""


def upgrade() -> None:
    """Create the tables and views. Their comments and privileges follow at the end of each migration."""
    op.get_bind().exec_driver_sql(_STATEMENTS, execution_options={"no_parameters": True})
