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

comment on view mart.my_forecast is 'Forecasts of your own sessions and minutes; those of the newest run are current.';
comment on column mart.my_forecast.user_id is 'The user.';
comment on column mart.my_forecast.metric is 'sessions or minutes.';
comment on column mart.my_forecast.grain is 'day or week.';
comment on column mart.my_forecast.as_of_date is 'The last complete day that the forecast knew.';
comment on column mart.my_forecast.target_date is 'The day, on the users'' calendars; of a week its Monday.';
comment on column mart.my_forecast.horizon is 'How many days or weeks ahead.';
comment on column mart.my_forecast.model is 'The model that made it.';
comment on column mart.my_forecast.run_id is 'The run that made it.';
comment on column mart.my_forecast.made_at is 'When it was loaded: of several runs with the same as_of_date the newest counts.';
comment on column mart.my_forecast.naive is 'What repeating last week says; NULL if it is not known.';
comment on column mart.my_forecast.q025 is 'Lower end of the 95 % interval.';
comment on column mart.my_forecast.q10 is 'Lower end of the 80 % interval.';
comment on column mart.my_forecast.q50 is 'The median.';
comment on column mart.my_forecast.q90 is 'Upper end of the 80 % interval.';
comment on column mart.my_forecast.q975 is 'Upper end of the 95 % interval.';
comment on column mart.my_forecast.is_current is 'Whether the newest run of the listeners'' forecasts made it. Without such rows, that run did not forecast you.';
