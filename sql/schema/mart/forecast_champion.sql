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

comment on table mart.forecast_champion is 'The model that each training chose for a group of series: those of the same metric, grain and level. The rows with the newest made_at are current.';
comment on column mart.forecast_champion.made_at is 'When the training was loaded.';
comment on column mart.forecast_champion.relative_to_naive is 'Its error, divided by that of repeating last week; below 1 it is better. NULL if nothing was measured.';
comment on column mart.forecast_champion.mase is 'Its mean absolute scaled error over all origins.';
comment on column mart.forecast_champion.coverage_80 is 'Fraction of the values that were in its 80 % intervals.';
comment on column mart.forecast_champion.coverage_95 is 'The same of its 95 % intervals.';
comment on column mart.forecast_champion.origin_count is 'Number of origins, the days in the past from which it forecast.';
comment on column mart.forecast_champion.better_origin_count is 'Origins at which it was better than repeating last week.';
comment on column mart.forecast_champion.metric is 'sessions, minutes or active_users.';
comment on column mart.forecast_champion.grain is 'day or week.';
comment on column mart.forecast_champion.level is 'What the segments are: total, continent, plan, continent_plan, artist, published_artist or listener.';
comment on column mart.forecast_champion.model is 'The model; NULL if nothing is published.';
comment on column mart.forecast_champion.previous_model is 'The champion before; NULL if there was none.';
comment on column mart.forecast_champion.reason is 'The choice in words: which model, how much better, how sure; or why nothing is published.';
comment on column mart.forecast_champion.run_id is 'The run that trained.';
