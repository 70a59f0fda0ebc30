-- Users of the free plan who skip far more often on a day than the others of that plan: a robust z-score, weak evidence
-- by itself, because users who listen all day skip more often within the limit of every hour.
with user_day as (
    select d.listener_key, sum(d.skips) as skips
    from mart.listener_day as d
    inner join mart.listening_context as c on c.listening_context_key = d.listening_context_key
    where d.local_date = :day and lower(c.subscription_plan) like 'free%'
    group by d.listener_key
),

middle as (
    select percentile_cont(0.5) within group (order by skips) as skips from user_day having count(*) >= 30
),

deviation as (
    select m.skips, percentile_cont(0.5) within group (order by abs(d.skips - m.skips)) as spread
    from middle as m
    cross join user_day as d
    group by m.skips
),

scored as (
    select d.*, v.skips as usual_skips, (d.skips - v.skips) / (1.4826 * greatest(v.spread, 1)) as z
    from user_day as d
    cross join deviation as v
    where d.skips >= 20
)

select
    l.user_id,
    'unusual_free_plan_use' as rule,
    cast(:day as timestamp) at time zone 'UTC' as window_start,
    cast(cast(:day as date) + 1 as timestamp) at time zone 'UTC' as window_end,
    format(
        '%s skips on a day of the free plan, where %s are usual (robust z-score %s)',
        s.skips,
        round(cast(s.usual_skips as numeric)),
        round(cast(s.z as numeric), 1)
    ) as reason,
    0.3 * (1 - 0.5 ^ least((s.z - 10) / 10, 100)) as score
from scored as s
inner join mart.listener as l on l.listener_key = s.listener_key
where s.z > 10
