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

comment on table mart.forecast is 'Forecasts of the models that were better than repeating last week, one row for each day or week ahead. Rows are added only: later runs leave them as they were. Maintenance deletes old ones of single artists and users.';
comment on column mart.forecast.made_at is 'When it was loaded: of several runs with the same as_of_date the newest counts.';
comment on column mart.forecast.naive is 'What repeating last week says: the value of the same weekday, or of the last week; NULL if it is not known.';
comment on column mart.forecast.q025 is 'Lower end of the 95 % interval.';
comment on column mart.forecast.q10 is 'Lower end of the 80 % interval.';
comment on column mart.forecast.q50 is 'The median: as often too low as too high.';
comment on column mart.forecast.q90 is 'Upper end of the 80 % interval.';
comment on column mart.forecast.q975 is 'Upper end of the 95 % interval.';
comment on column mart.forecast.as_of_date is 'The last complete day that the forecast knew.';
comment on column mart.forecast.target_date is 'The day, on the users'' calendars; of a week its Monday.';
comment on column mart.forecast.horizon is 'Number of days or weeks after the last known one of the series.';
comment on column mart.forecast.metric is 'sessions, minutes or active_users.';
comment on column mart.forecast.grain is 'day or week.';
comment on column mart.forecast.level is 'What the segments are: total, continent, plan, continent_plan, artist, published_artist or listener.';
comment on column mart.forecast.segment is 'The part of the level: empty of the total, else a continent, a plan, both with / between, an artist_key, or a user_id.';
comment on column mart.forecast.model is 'The model that made it.';
comment on column mart.forecast.run_id is 'The run that made it.';
