-- Items that were not in a year's counts before, or are no longer.
create temporary table count_entry on commit drop as
select
    n.listener_key,
    n.kind,
    n.item_key,
    n.year,
    case when n.play_millionths = 0 then -1 else 1 end as entries
from count_now as n
inner join count_change as c
    on c.listener_key = n.listener_key and c.kind = n.kind and c.item_key = n.item_key and c.year = n.year
where n.kind in ('recording', 'artist')
    and (n.play_millionths = 0) <> (n.play_millionths = c.play_millionths);

analyze count_entry;

-- The first year of artists that were added to a year or removed from one, before and now.
create temporary table first_year on commit drop as
with pair as (
    select distinct listener_key, item_key from count_entry where kind = 'artist' and year > 0
),

known as (
    select p.listener_key, p.item_key, c.year
    from pair as p
    cross join lateral (
        select year
        from mart.listener_count
        where listener_key = p.listener_key and kind = 'artist' and item_key = p.item_key and year > 0
        offset 0
    ) as c
),

told as (
    select k.listener_key, k.item_key, k.year, true as is_now, e.year is null as is_before
    from known as k
    left join count_entry as e
        on e.listener_key = k.listener_key
        and e.kind = 'artist'
        and e.item_key = k.item_key
        and e.year = k.year
        and e.entries = 1
    union all
    select listener_key, item_key, year, false, true
    from count_entry
    where kind = 'artist' and year > 0 and entries = -1
)

select listener_key, min(year) filter (where is_before) as before, min(year) filter (where is_now) as now
from told
group by listener_key, item_key;

create temporary table year_change on commit drop as
select
    listener_key,
    year,
    sum(plays) as plays,
    sum(ms_played) as ms_played,
    sum(tracks) as tracks,
    sum(artists) as artists,
    sum(new_artists) as new_artists
from (
    select listener_key, year, play_millionths / 1000000 as plays, ms_millionths / 1000000 as ms_played, 0 as tracks,
        0 as artists, 0 as new_artists
    from count_change
    where kind = 'hour'
    union all
    select listener_key, year, 0, 0, entries, 0, 0 from count_entry where kind = 'recording'
    union all
    select listener_key, year, 0, 0, 0, entries, case when year = 0 then entries else 0 end
    from count_entry
    where kind = 'artist'
    union all
    select listener_key, before, 0, 0, 0, 0, -1 from first_year where before is distinct from now and before is not null
    union all
    select listener_key, now, 0, 0, 0, 0, 1 from first_year where before is distinct from now and now is not null
    union all
    -- Streaks, sessions and the first play may change although no count does.
    select distinct listener_key, y.year, 0, 0, 0, 0, 0
    from changed_day
    cross join lateral (values (extract(year from local_date)::smallint), (0::smallint)) as y (year)
    union all
    select distinct listener_key, y.year, 0, 0, 0, 0, 0
    from (select listener_key, year from session_before union select listener_key, year from session_now) as s
    cross join lateral (values (s.year), (0::smallint)) as y (year)
) as told
group by listener_key, year;

analyze year_change;

create temporary table year_now on commit drop as
select
    c.listener_key,
    c.year,
    coalesce(y.plays, 0) + c.plays as plays,
    coalesce(y.ms_played, 0) + c.ms_played as ms_played,
    coalesce(y.tracks, 0) + c.tracks as tracks,
    coalesce(y.artists, 0) + c.artists as artists,
    coalesce(y.new_artists, 0) + c.new_artists as new_artists,
    s.streak_from,
    s.streak_days,
    f.event_time as first_play_at
from year_change as c
left join mart.listener_year as y on y.listener_key = c.listener_key and y.year = c.year
left join mart.listened_days as l on l.listener_key = c.listener_key
left join lateral (
    select
        case
            when c.year = 0 then l.days
            else l.days * datemultirange(daterange(make_date(c.year, 1, 1), make_date(c.year + 1, 1, 1)))
        end as days
) as d on true
left join lateral (
    select lower(r.streak) as streak_from, upper(r.streak) - lower(r.streak) as streak_days
    from unnest(d.days) as r (streak)
    order by 2 desc, 1
    limit 1
) as s on true
left join lateral (
    select min(p.event_time) as event_time
    from mart.counted_play as p
    where p.listener_key = c.listener_key and p.local_date = lower(d.days) and not p.is_excluded
) as f on true;

analyze year_now;

delete from mart.listener_year as y
using year_now as n
where n.plays = 0 and y.listener_key = n.listener_key and y.year = n.year;

insert into mart.listener_year as y (
    first_play_at, longest_session_at, ms_played, listener_key, plays, tracks, artists, new_artists, longest_session_ms,
    longest_streak_from, longest_streak_days, year
)
select
    n.first_play_at,
    s.started_at,
    n.ms_played,
    n.listener_key,
    n.plays,
    n.tracks,
    n.artists,
    n.new_artists,
    s.duration_ms,
    n.streak_from,
    n.streak_days,
    n.year
from year_now as n
left join lateral (
    select started_at, duration_ms
    from mart.session
    where listener_key = n.listener_key and year = n.year
    order by duration_ms desc, started_at
    limit 1
) as s on true
where n.plays > 0
order by n.listener_key, n.year
on conflict (listener_key, year) do update
set first_play_at = excluded.first_play_at,
    longest_session_at = excluded.longest_session_at,
    ms_played = excluded.ms_played,
    plays = excluded.plays,
    tracks = excluded.tracks,
    artists = excluded.artists,
    new_artists = excluded.new_artists,
    longest_session_ms = excluded.longest_session_ms,
    longest_streak_from = excluded.longest_streak_from,
    longest_streak_days = excluded.longest_streak_days;

-- The longest session of all years with a play.
update mart.listener_year as y
set longest_session_at = s.longest_session_at, longest_session_ms = s.longest_session_ms
from year_now as n
cross join lateral (
    select longest_session_at, longest_session_ms
    from mart.listener_year
    where listener_key = n.listener_key and year > 0
    order by longest_session_ms desc nulls last, longest_session_at
    limit 1
) as s
where n.year = 0 and y.listener_key = n.listener_key and y.year = 0;
