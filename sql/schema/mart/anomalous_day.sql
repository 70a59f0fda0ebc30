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

comment on table mart.anomalous_day is 'Days and weeks with a value far from what the weeks before let expect, as of the last run of the forecasts. About users in total; findings about single users are in mart.anomaly.';
comment on column mart.anomalous_day.value is 'The value.';
comment on column mart.anomalous_day.expected is 'The value that the weeks before let expect.';
comment on column mart.anomalous_day.score is 'How far the value is from it, in robust standard deviations; below 0 the value is too low.';
comment on column mart.anomalous_day.target_date is 'The day, on the users'' calendars; of a week its Monday.';
comment on column mart.anomalous_day.metric is 'sessions, minutes or active_users.';
comment on column mart.anomalous_day.grain is 'day or week.';
comment on column mart.anomalous_day.level is 'What the segments are: total, continent, plan, continent_plan, artist, published_artist or listener.';
comment on column mart.anomalous_day.segment is 'The part of the level: empty of the total, else a continent, a plan, both with / between, an artist_key, or a user_id.';
comment on column mart.anomalous_day.reason is 'The reason in words.';
comment on column mart.anomalous_day.run_id is 'The run that found it.';
