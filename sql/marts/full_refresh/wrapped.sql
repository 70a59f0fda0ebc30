insert into mart.listener_year (
    first_play_at, longest_session_at, ms_played, listener_key, plays, tracks, artists, new_artists, longest_session_ms,
    longest_streak_from, longest_streak_days, year
)
with counted as (
    select
        listener_key,
        year,
        sum(play_millionths) filter (where kind = 'hour') / 1000000 as plays,
        sum(ms_millionths) filter (where kind = 'hour') / 1000000 as ms_played,
        count(*) filter (where kind = 'recording') as tracks,
        count(*) filter (where kind = 'artist') as artists
    from mart.listener_count
    where kind in ('hour', 'recording', 'artist')
    group by listener_key, year
),

first_year as (
    select listener_key, min(year) as year
    from mart.listener_count
    where kind = 'artist' and year > 0
    group by listener_key, item_key
),

new_artist as (
    select listener_key, year, count(*) as artists from first_year group by listener_key, year
    union all
    select listener_key, 0, count(*) from first_year group by listener_key
),

first_play as (
    select listener_key, local_date, min(event_time) as event_time
    from mart.counted_play
    where not is_excluded
    group by listener_key, local_date
),

long_session as (
    select distinct on (s.listener_key, s.year) s.listener_key, s.year, s.started_at, s.duration_ms
    from mart.session as s
    inner join counted as c on c.listener_key = s.listener_key and c.year = s.year
    order by s.listener_key, s.year, s.duration_ms desc, s.started_at
),

longest_session as (
    select * from long_session
    union all
    (
        select distinct on (listener_key) listener_key, 0, started_at, duration_ms
        from long_session
        order by listener_key, duration_ms desc, started_at
    )
),

listened as (
    select c.listener_key, c.year, lower(d.days) as first_date, r.streak_from, r.streak_days
    from counted as c
    inner join mart.listened_days as l on l.listener_key = c.listener_key
    cross join lateral (
        select
            case
                when c.year = 0 then l.days
                else l.days * datemultirange(daterange(make_date(c.year, 1, 1), make_date(c.year + 1, 1, 1)))
            end as days
    ) as d
    cross join lateral (
        select lower(u.streak) as streak_from, upper(u.streak) - lower(u.streak) as streak_days
        from unnest(d.days) as u (streak)
        order by 2 desc, 1
        limit 1
    ) as r
)

select
    f.event_time,
    s.started_at,
    c.ms_played,
    c.listener_key,
    c.plays,
    c.tracks,
    c.artists,
    coalesce(n.artists, 0),
    s.duration_ms,
    l.streak_from,
    l.streak_days,
    c.year
from counted as c
inner join listened as l on l.listener_key = c.listener_key and l.year = c.year
inner join first_play as f on f.listener_key = c.listener_key and f.local_date = l.first_date
left join new_artist as n on n.listener_key = c.listener_key and n.year = c.year
left join longest_session as s on s.listener_key = c.listener_key and s.year = c.year;
