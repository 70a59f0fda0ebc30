-- How long do sessions last, and how many plays do they have, by country and device at their start?
select
    country,
    device_type,
    count(*) as sessions,
    round(percentile_cont(0.5) within group (order by duration_ms)::numeric / 60000, 1) as median_minutes,
    round(avg(plays), 1) as mean_plays
from mart.listening_session
group by country, device_type
order by sessions desc, country, device_type
limit 20;
