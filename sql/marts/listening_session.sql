create temporary table session_before (like mart.session) on commit drop;

with gone as (
    delete from mart.session as s
    using changed_time as t
    where s.listener_key = t.listener_key and s.started_at between lower(t.during) and upper(t.during)
    returning s.*
)

insert into session_before select * from gone;

create temporary table session_now (like mart.session) on commit drop;

-- Events with the same timestamp are adjacent, whatever their order.
with paused as (
    select
        e.listener_key,
        e.event_time,
        e.ended_at,
        e.local_date,
        e.ms_played,
        e.is_play and not e.is_excluded as is_counted,
        c.listening_context_key,
        coalesce(
            e.event_time > max(e.ended_at) over (
                partition by e.listener_key
                order by e.event_time
                groups between unbounded preceding and 1 preceding
            ) + d.session_gap_minutes * interval '1 minute',
            true
        ) as is_first
    from near_event as e
    inner join mart.listening_context as c using (country, continent, device_type, subscription_plan)
    cross join mart.definition as d
),

numbered as (
    select *, count(*) filter (where is_first) over (partition by listener_key order by event_time) as number
    from paused
)

insert into session_now (
    started_at, ended_at, ms_played, listener_key, local_date, listening_context_key, duration_ms, events, plays, year
)
select
    min(event_time),
    max(ended_at),
    coalesce(sum(ms_played) filter (where is_counted), 0),
    listener_key,
    min(local_date) filter (where is_first),
    min(listening_context_key) filter (where is_first),
    -- A session of weeks without a pause is cut to the maximum of the column, 24 days.
    least(extract(epoch from max(ended_at) - min(event_time)) * 1000, 2147483647),
    count(*),
    count(*) filter (where is_counted),
    extract(year from min(local_date) filter (where is_first))
from numbered
group by listener_key, number;

insert into mart.session select * from session_now order by listener_key, started_at;

analyze session_before;
analyze session_now;
