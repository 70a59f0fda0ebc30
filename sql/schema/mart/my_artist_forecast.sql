-- The series is what the artist sees in mart.my_artist_audience. The choice of the model, the width of the intervals
-- and a network are not: docs/forecasts.md says under Privacy what they come from.
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

comment on view mart.my_artist_forecast is 'Forecasts of your listeners by week. They continue your published numbers in mart.my_artist_audience; the model, and how wide its intervals are, come from what is known of several artists and of all users together. Those of the newest run are current.';
comment on column mart.my_artist_forecast.metric is 'active_users.';
comment on column mart.my_artist_forecast.grain is 'week.';
comment on column mart.my_artist_forecast.as_of_date is 'The last complete day that the forecast knew.';
comment on column mart.my_artist_forecast.target_date is 'The day, on the users'' calendars; of a week its Monday.';
comment on column mart.my_artist_forecast.horizon is 'Number of weeks after the last published one.';
comment on column mart.my_artist_forecast.model is 'The model that made it.';
comment on column mart.my_artist_forecast.run_id is 'The run that made it.';
comment on column mart.my_artist_forecast.made_at is 'When it was loaded: of several runs with the same as_of_date the newest counts.';
comment on column mart.my_artist_forecast.q025 is 'Lower end of the 95 % interval.';
comment on column mart.my_artist_forecast.q10 is 'Lower end of the 80 % interval.';
comment on column mart.my_artist_forecast.q50 is 'The median.';
comment on column mart.my_artist_forecast.q90 is 'Upper end of the 80 % interval.';
comment on column mart.my_artist_forecast.q975 is 'Upper end of the 95 % interval.';
comment on column mart.my_artist_forecast.last_published_week is 'Monday of the last published week that the newest run knew.';
comment on column mart.my_artist_forecast.is_current is 'Whether the newest run of the artists'' forecasts made it. Without such rows, that run did not forecast you.';
