-- Sessions and minutes of the users with most plays in the last eight weeks.
with busiest as (
    select d.listener_key
    from mart.listener_day as d
    where d.local_date > (select max(local_date) from known_day) - 56
    group by d.listener_key
    order by sum(d.plays) desc, d.listener_key
    limit :series_limit
),

day as (
    select d.listener_key, d.local_date, 0 as sessions, d.ms_played
    from mart.listener_day as d
    inner join busiest as b on b.listener_key = d.listener_key
    union all
    select s.listener_key, s.local_date, 1, 0
    from mart.session as s
    inner join busiest as b on b.listener_key = s.listener_key
),

observed as (
    select
        g.grain,
        d.listener_key,
        g.target_date,
        sum(d.sessions) as sessions,
        sum(d.ms_played) / 60000.0 as minutes
    from day as d
    cross join lateral (
        values ('day', d.local_date), ('week', cast(date_trunc('week', cast(d.local_date as timestamp)) as date))
    ) as g (grain, target_date)
    group by g.grain, d.listener_key, g.target_date
)

select m.metric, o.grain, 'listener' as level, l.user_id as segment, o.target_date, m.value
from observed as o
inner join mart.listener as l on l.listener_key = o.listener_key
cross join lateral (values ('sessions', o.sessions), ('minutes', o.minutes)) as m (metric, value)
