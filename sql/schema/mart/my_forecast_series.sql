create view mart.my_forecast_series with (security_barrier) as
select
    m.segment as user_id,
    m.metric,
    m.grain,
    m.target_date,
    m.value
from mart.forecast_series as m
where m.level = 'listener' and m.segment = (select s.user_id from audit.signed_in as s);

comment on view mart.my_forecast_series is 'Your own sessions and minutes, as the last run of the forecasts saw them.';
comment on column mart.my_forecast_series.user_id is 'The user.';
comment on column mart.my_forecast_series.metric is 'sessions or minutes.';
comment on column mart.my_forecast_series.grain is 'day or week.';
comment on column mart.my_forecast_series.target_date is 'The day, on your calendar; of a week its Monday.';
comment on column mart.my_forecast_series.value is 'The value.';
