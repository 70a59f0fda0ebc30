-- Events and active listeners by minute and continent, in the half hour before the newest event.
with newest as (
    select max(m.minute_start) as minute_start
    from live.active_minute as m
    where m.minute_start <= (select max(p.updated_at) from live.progress as p)
)

select m.minute_start, m.continent, m.events + m.late_events as events, m.listeners
from newest as n
inner join live.active_minute as m
    on m.minute_start > n.minute_start - interval '30 minutes' and m.minute_start <= n.minute_start
order by m.minute_start, m.continent;
