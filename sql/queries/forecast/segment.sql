-- Sessions, minutes and active users of all users, by continent, by plan and by both. Sessions and minutes add up over
-- segments; users do not, so each segment counts its own. A segment begins with its first day.
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

-- Each user once a day and segment, with the week.
activity as materialized (
    select distinct
        d.local_date,
        cast(date_trunc('week', cast(d.local_date as timestamp)) as date) as week_start,
        d.listener_key,
        c.continent,
        c.subscription_plan
    from mart.listener_day as d
    inner join mart.listening_context as c on c.listening_context_key = d.listening_context_key
    where d.plays > 0
),

weekly_activity as materialized (
    select distinct week_start, listener_key, continent, subscription_plan from activity
),

-- The marts have the totals. Distinct rows of a subquery are counted by hashes, count(distinct) would sort them.
active as (
    select 'day' as grain, 'total' as level, '' as segment, local_date as target_date, daily_users as users
    from mart.active_user_count
    union all
    select 'week', 'total', '', local_date - 6, weekly_users
    from mart.active_user_count
    where extract(isodow from local_date) = 7
    union all
    select 'day', 'continent_plan', concat_ws('/', continent, subscription_plan), local_date, count(*)
    from activity
    group by local_date, continent, subscription_plan
    union all
    select 'day', 'continent', continent, local_date, count(*)
    from (select distinct local_date, listener_key, continent from activity) as listeners
    group by local_date, continent
    union all
    select 'day', 'plan', subscription_plan, local_date, count(*)
    from (select distinct local_date, listener_key, subscription_plan from activity) as listeners
    group by local_date, subscription_plan
    union all
    select 'week', 'continent_plan', concat_ws('/', continent, subscription_plan), week_start, count(*)
    from weekly_activity
    group by week_start, continent, subscription_plan
    union all
    select 'week', 'continent', continent, week_start, count(*)
    from (select distinct week_start, listener_key, continent from weekly_activity) as listeners
    group by week_start, continent
    union all
    select 'week', 'plan', subscription_plan, week_start, count(*)
    from (select distinct week_start, listener_key, subscription_plan from weekly_activity) as listeners
    group by week_start, subscription_plan
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
