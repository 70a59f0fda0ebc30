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

comment on view mart.forecast_accuracy is 'The forecasts of days and weeks that are over, with the values that came; of several runs with the same as_of_date the last one.';
comment on column mart.forecast_accuracy.metric is 'sessions, minutes or active_users.';
comment on column mart.forecast_accuracy.grain is 'day or week.';
comment on column mart.forecast_accuracy.level is 'What the segments are: total, continent, plan, continent_plan, artist, published_artist or listener.';
comment on column mart.forecast_accuracy.segment is 'The part of the level: empty of the total, else a continent, a plan, both with / between, an artist_key, or a user_id.';
comment on column mart.forecast_accuracy.as_of_date is 'The last complete day that the forecast knew.';
comment on column mart.forecast_accuracy.target_date is 'The day, on the users'' calendars; of a week its Monday.';
comment on column mart.forecast_accuracy.horizon is 'Number of days or weeks after the last known one of the series.';
comment on column mart.forecast_accuracy.model is 'The model that made it.';
comment on column mart.forecast_accuracy.run_id is 'The run that made it.';
comment on column mart.forecast_accuracy.naive is 'What repeating last week said.';
comment on column mart.forecast_accuracy.q025 is 'Lower end of the 95 % interval.';
comment on column mart.forecast_accuracy.q10 is 'Lower end of the 80 % interval.';
comment on column mart.forecast_accuracy.q50 is 'The median.';
comment on column mart.forecast_accuracy.q90 is 'Upper end of the 80 % interval.';
comment on column mart.forecast_accuracy.q975 is 'Upper end of the 95 % interval.';
comment on column mart.forecast_accuracy.value is 'The value that came.';
comment on column mart.forecast_accuracy.error is 'value - q50.';
comment on column mart.forecast_accuracy.naive_error is 'value - naive.';
comment on column mart.forecast_accuracy.is_in_80 is 'Whether the value was in the 80 % interval.';
comment on column mart.forecast_accuracy.is_in_95 is 'Whether it was in the 95 % interval.';
