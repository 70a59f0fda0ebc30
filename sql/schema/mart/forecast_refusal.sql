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

comment on table mart.forecast_refusal is 'The series that the last run of the forecasts did not forecast, and why.';
comment on column mart.forecast_refusal.as_of_date is 'The last complete day that the run knew.';
comment on column mart.forecast_refusal.metric is 'sessions, minutes or active_users.';
comment on column mart.forecast_refusal.grain is 'day or week.';
comment on column mart.forecast_refusal.level is 'What the segments are: total, continent, plan, continent_plan, artist, published_artist or listener.';
comment on column mart.forecast_refusal.segment is 'The part of the level: empty of the total, else a continent, a plan, both with / between, an artist_key, or a user_id.';
comment on column mart.forecast_refusal.reason is 'Why, in words.';
