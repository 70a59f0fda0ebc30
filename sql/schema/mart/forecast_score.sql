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

comment on table mart.forecast_score is 'How good each model would have been in the past, measured at each training: it forecasts from an earlier day, the origin, with today''s values of the days until then: late events and exclusions are in them.';
comment on column mart.forecast_score.made_at is 'When the training was loaded.';
comment on column mart.forecast_score.mase is 'Mean absolute scaled error: mean absolute error, divided by that of repeating last week within the history before the origin; NULL if it is not defined.';
comment on column mart.forecast_score.naive_mase is 'The same of repeating last week.';
comment on column mart.forecast_score.wql is 'Weighted quantile loss: twice the sum of the quantile losses, divided by the sum of the absolute values.';
comment on column mart.forecast_score.coverage_80 is 'Fraction of the values that were in the 80 % interval.';
comment on column mart.forecast_score.coverage_95 is 'The same of the 95 % interval.';
comment on column mart.forecast_score.origin_date is 'The last day that the model knew.';
comment on column mart.forecast_score.metric is 'sessions, minutes or active_users.';
comment on column mart.forecast_score.grain is 'day or week.';
comment on column mart.forecast_score.level is 'What the segments are: total, continent, plan, continent_plan, artist, published_artist or listener.';
comment on column mart.forecast_score.segment is 'The part of the level: empty of the total, else a continent, a plan, both with / between, an artist_key, or a user_id. Empty, too, for the mean over all artists or listeners.';
comment on column mart.forecast_score.model is 'The model.';
comment on column mart.forecast_score.run_id is 'The run that trained.';
