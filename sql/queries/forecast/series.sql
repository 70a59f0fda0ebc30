-- The series of what was observed: of the known days and weeks from the first activity on, with zeros. Single artists
-- and users have two years; the days on which plays of a user may be missing are not known.
with known as (
    select 'day' as grain, local_date as target_date, local_date + 1 as end_date from known_day
    union all
    select 'week', week_start, week_start + 7 from known_week
),

series as (
    select metric, grain, level, segment, min(target_date) as first_date
    from observed_value
    where level <> 'published_artist'
    group by metric, grain, level, segment
),

ended as (
    select o.segment, max(o.target_date) as last_date
    from observed_value as o
    where o.level = 'listener' and o.grain = 'day'
    group by o.segment
    having not exists (
        select
        from warehouse.dim_user as u
        inner join warehouse.fact_event as e on e.user_key = u.user_key
        where u.user_id = o.segment
            and e.source in ('feed', 'recently_played')
            and e.event_time >= (
                select cast(max(k.local_date) - 56 as timestamp) at time zone 'UTC' from known_day as k
            )
    )
),

filled as (
    select s.metric, s.grain, s.level, s.segment, k.target_date, coalesce(o.value, 0) as value
    from series as s
    inner join known as k on k.grain = s.grain and k.target_date >= s.first_date
    left join observed_value as o
        on o.metric = s.metric
            and o.grain = s.grain
            and o.level = s.level
            and o.segment = s.segment
            and o.target_date = k.target_date
    where (
            s.level not in ('artist', 'listener')
            or k.target_date > (select max(local_date) from known_day) - 728
        )
        and (
            s.level <> 'listener'
            or not exists (
                select
                from audit.gap as g
                where g.user_id = s.segment
                    and g.closed_at is null
                    and k.target_date <= cast(g.gap_to at time zone 'UTC' as date) + 1
                    and k.end_date > cast(g.gap_from at time zone 'UTC' as date) - 1
            )
        )
        and not exists (
            select from ended as e where s.level = 'listener' and e.segment = s.segment and k.end_date > e.last_date
        )
    union all
    select metric, grain, level, segment, target_date, value
    from observed_value
    where level = 'published_artist'
)

select metric, grain, level, segment, target_date, value
from filled
where level = any(:levels)
order by metric, grain, level, segment, target_date
