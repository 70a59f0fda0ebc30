-- Events by source, and how many of them were late.
with arrived as (
    select source, sum(rows_late) as late from audit.arrival group by source
)

select
    e.source,
    count(*) as events,
    count(*) filter (where e.activity_type = 'PLAY') as plays,
    count(*) filter (where e.is_skipped) as skips,
    coalesce(max(a.late), 0) as late,
    count(distinct u.user_id) as users,
    coalesce(sum(e.ms_played), 0) / 3600000 as hours,
    min(e.event_time) as first_time,
    max(e.event_time) as last_time
from warehouse.fact_event as e
inner join warehouse.dim_user as u on u.user_key = e.user_key
left join arrived as a on a.source = e.source
group by e.source
order by e.source;
