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

comment on table mart.forecast_series is 'The values that are forecast, as the last run of the forecasts saw them. A day or week that is not known, such as that of a missing load, has no row. Sessions and minutes add up over segments; users do not.';
comment on column mart.forecast_series.value is 'The value.';
comment on column mart.forecast_series.target_date is 'The day, on the users'' calendars; of a week its Monday.';
comment on column mart.forecast_series.metric is 'sessions, minutes or active_users.';
comment on column mart.forecast_series.grain is 'day or week.';
comment on column mart.forecast_series.level is 'What the segments are: total, continent, plan, continent_plan, artist, published_artist or listener.';
comment on column mart.forecast_series.segment is 'The part of the level: empty of the total, else a continent, a plan, both with / between, an artist_key, or a user_id.';
