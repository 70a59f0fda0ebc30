insert into live.active_minute as t (minute_start, continent, events, late_events, listeners)
select minute_start, continent, sum(events), sum(late_events), sum(listeners)
from batch_active_minute
group by minute_start, continent
order by minute_start, continent
on conflict (minute_start, continent) do update
set events = t.events + excluded.events,
    late_events = t.late_events + excluded.late_events,
    listeners = t.listeners + excluded.listeners;
