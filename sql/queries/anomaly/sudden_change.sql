-- Users who listened for eight hours or more on two of the last three days, against their own days of the four weeks
-- before: the robust z-score of minutes a day.
with candidate as (
    select listener_key
    from mart.listener_day
    where local_date = :day
    group by listener_key
    having sum(ms_played) >= 8 * 3600000
),

-- The second longest of three days: one long day is a party, two are a change.
recent as (
    select c.listener_key, (array_agg(d.minutes order by d.minutes desc))[2] as minutes
    from candidate as c
    cross join lateral (
        select sum(l.ms_played) / 60000 as minutes
        from mart.listener_day as l
        where l.listener_key = c.listener_key and l.local_date between cast(:day as date) - 2 and :day
        group by l.local_date
    ) as d
    group by c.listener_key
),

past_day as (
    select r.listener_key, r.minutes as recent_minutes, d.minutes
    from recent as r
    cross join lateral (
        select sum(l.ms_played) / 60000 as minutes
        from mart.listener_day as l
        where l.listener_key = r.listener_key
            and l.local_date between cast(:day as date) - 30 and cast(:day as date) - 3
        group by l.local_date
    ) as d
    where r.minutes >= 8 * 60
),

middle as (
    select
        listener_key,
        recent_minutes,
        percentile_cont(0.5) within group (order by minutes) as minutes
    from past_day
    group by listener_key, recent_minutes
    having count(*) >= 5
),

deviation as (
    select
        m.listener_key,
        m.recent_minutes,
        m.minutes,
        percentile_cont(0.5) within group (order by abs(p.minutes - m.minutes)) as spread
    from middle as m
    inner join past_day as p on p.listener_key = m.listener_key
    group by m.listener_key, m.recent_minutes, m.minutes
),

scored as (
    select *, (recent_minutes - minutes) / (1.4826 * greatest(spread, 20)) as z
    from deviation
)

select
    l.user_id,
    'sudden_change' as rule,
    cast(cast(:day as date) - 2 as timestamp) at time zone 'UTC' as window_start,
    cast(cast(:day as date) + 1 as timestamp) at time zone 'UTC' as window_end,
    format(
        '%s minutes or more on two of three days, where %s are usual (robust z-score %s)',
        round(s.recent_minutes),
        round(cast(s.minutes as numeric)),
        round(cast(s.z as numeric), 1)
    ) as reason,
    0.9 * (1 - 0.5 ^ least((s.z - 5) / 3, 100)) as score
from scored as s
inner join mart.listener as l on l.listener_key = s.listener_key
where s.z > 5
