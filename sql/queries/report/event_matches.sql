-- Records that were dropped because another one, mostly from a better source, reports the same play.
select d.source as dropped_source, k.source as kept_source, count(*) as plays
from audit.event_match as m
inner join audit.dropped_event as d on d.event_id = m.dropped_event_id and d.event_time = m.dropped_event_time
inner join warehouse.fact_event as k on k.event_id = m.kept_event_id and k.event_time = m.kept_event_time
group by d.source, k.source
order by d.source, k.source;
