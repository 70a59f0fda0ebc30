-- How do listeners of the plans differ: minutes per day with listening, and skips per started track?
select
    coalesce(subscription_plan, 'not said') as plan,
    count(distinct user_id) as listeners,
    round(
        sum(ms_played)
        / 60000.0
        / nullif(count(distinct row(user_id, local_time::date)) filter (where ms_played > 0), 0),
        1
    ) as minutes_a_day,
    round(count(*) filter (where is_skipped) * 1.0 / count(*) filter (where activity_type = 'PLAY'), 3)
        as skips_per_start
from mart.event_wide
where activity_type in ('PLAY', 'SKIP')
group by subscription_plan
having count(*) filter (where activity_type = 'PLAY') > 0
order by listeners desc, plan;
