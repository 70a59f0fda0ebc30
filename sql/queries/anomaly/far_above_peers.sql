-- Users whose time on the day is far above that of the others on the same plan: a robust z-score, weak evidence by
-- itself, because some users do listen all day.
with user_day as (
    select
        d.listener_key,
        (array_agg(c.subscription_plan order by d.ms_played desc, c.subscription_plan))[1] as plan,
        sum(d.ms_played) / 60000 as minutes
    from mart.listener_day as d
    inner join mart.listening_context as c on c.listening_context_key = d.listening_context_key
    where d.local_date = :day
    group by d.listener_key
),

middle as (
    select plan, percentile_cont(0.5) within group (order by minutes) as minutes
    from user_day
    group by plan
    having count(*) >= 30
),

deviation as (
    select m.plan, m.minutes, percentile_cont(0.5) within group (order by abs(d.minutes - m.minutes)) as spread
    from middle as m
    inner join user_day as d on d.plan = m.plan
    group by m.plan, m.minutes
),

scored as (
    select d.*, v.minutes as usual_minutes, (d.minutes - v.minutes) / (1.4826 * greatest(v.spread, 10)) as z
    from user_day as d
    inner join deviation as v on v.plan = d.plan
    where d.minutes >= 12 * 60
)

select
    l.user_id,
    'far_above_peers' as rule,
    cast(:day as timestamp) at time zone 'UTC' as window_start,
    cast(cast(:day as date) + 1 as timestamp) at time zone 'UTC' as window_end,
    format(
        '%s minutes on a day, where users of the same plan listen for %s (robust z-score %s)',
        round(s.minutes),
        round(cast(s.usual_minutes as numeric)),
        round(cast(s.z as numeric), 1)
    ) as reason,
    0.3 * (1 - 0.5 ^ least((s.z - 10) / 10, 100)) as score
from scored as s
inner join mart.listener as l on l.listener_key = s.listener_key
where s.z > 10
