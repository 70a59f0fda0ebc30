-- Minutes and listeners of the artists with most plays in the last eight weeks, of the two years that series.sql takes.
with busiest as (
    select w.artist_key
    from mart.artist_week as w
    where w.artist_key > 0 and w.week_start in (select week_start from known_week order by week_start desc limit 8)
    group by w.artist_key
    order by sum(w.plays) desc, w.artist_key
    limit :series_limit
),

day as (
    select
        'day' as grain,
        p.artist_key,
        p.local_date as target_date,
        sum(p.ms_played) / 60000.0 as minutes,
        count(distinct p.listener_key) as users
    from mart.counted_play as p
    inner join busiest as b on b.artist_key = p.artist_key
    where not p.is_excluded and p.local_date > (select max(local_date) from known_day) - 728
    group by p.artist_key, p.local_date
),

week as (
    select
        'week' as grain,
        w.artist_key,
        w.week_start as target_date,
        w.ms_played / 60000.0 as minutes,
        w.listeners as users
    from mart.artist_week as w
    inner join busiest as b on b.artist_key = w.artist_key
    where w.week_start > (select max(local_date) from known_day) - 728
),

observed as (
    select * from day
    union all
    select * from week
)

select m.metric, o.grain, 'artist' as level, cast(o.artist_key as text) as segment, o.target_date, m.value
from observed as o
cross join lateral (values ('minutes', o.minutes), ('active_users', o.users)) as m (metric, value)
