-- The newest 24 hours of each continent: the number of events, and whether the hour is closed.
select
    date_trunc('hour', m.minute_start, 'UTC') as hour_start,
    m.continent,
    sum(m.events) as events,
    sum(m.late_events) as late_events,
    bool_and(coalesce(date_trunc('hour', m.minute_start, 'UTC') + interval '1 hour' <= p.watermark, false)) as is_closed
from live.active_minute as m
inner join live.progress as p on p.continent = m.continent
where m.minute_start >= (
    select date_trunc('hour', max(n.watermark), 'UTC') - interval '23 hours'
    from live.progress as n
)
group by 1, 2
order by 1, 2;
