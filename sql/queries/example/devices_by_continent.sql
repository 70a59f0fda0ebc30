-- Which devices do users of each continent listen on?
select
    coalesce(continent, 'unknown') as continent,
    coalesce(device_type, 'other') as device_type,
    round(sum(ms_played) / 3600000.0, 2) as hours,
    round(sum(ms_played) / sum(sum(ms_played)) over (partition by continent), 3) as share
from mart.event_wide
where activity_type = 'PLAY' and ms_played > 0
group by continent, device_type
order by continent, hours desc, device_type;
