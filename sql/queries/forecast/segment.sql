-- Sessions, minutes and active users of all users, by continent, by plan and by both, from the counts of the marts: a
-- few rows a day, however many users there are. Sessions and minutes add up over segments; users do not, so each
-- segment has its own. A segment begins with its first day.
with engagement as (
    select
        'day' as grain,
        case grouping(continent, subscription_plan)
            when 3 then 'total' when 2 then 'plan' when 1 then 'continent' else 'continent_plan'
        end as level,
        concat_ws('/', continent, subscription_plan) as segment,
        local_date as target_date,
        cast(sum(sessions) as double precision) as sessions,
        sum(ms_played) / 60000.0 as minutes
    from mart.daily_engagement
    group by grouping sets (
        (local_date),
        (local_date, continent),
        (local_date, subscription_plan),
        (local_date, continent, subscription_plan)
    )
),

active as (
    select 'day' as grain, 'total' as level, '' as segment, local_date as target_date, daily_users as users
    from mart.active_user_count
    union all
    select 'week', 'total', '', local_date - 6, weekly_users
    from mart.active_user_count
    where extract(isodow from local_date) = 7
    union all
    select grain, level, segment, start_date, users
    from mart.segment_user_count
),

observed as (
    select m.metric, e.grain, e.level, e.segment, e.target_date, m.value
    from engagement as e
    cross join lateral (values ('sessions', e.sessions), ('minutes', e.minutes)) as m (metric, value)
    union all
    select
        m.metric, 'week', e.level, e.segment, cast(date_trunc('week', cast(e.target_date as timestamp)) as date),
        sum(m.value)
    from engagement as e
    cross join lateral (values ('sessions', e.sessions), ('minutes', e.minutes)) as m (metric, value)
    group by m.metric, e.level, e.segment, date_trunc('week', cast(e.target_date as timestamp))
    union all
    select 'active_users', grain, level, segment, target_date, users
    from active
)

select metric, grain, level, segment, target_date, value
from observed
