-- Recordings and artists that users played on the changed days of a year, before and now.
create temporary table day_item on commit drop as
select listener_key, kind, item_key, year, bool_or(not is_now) as is_before, bool_or(is_now) as is_now
from (
    select p.listener_key, i.kind, i.item_key, extract(year from p.local_date)::smallint as year, p.is_now
    from (
        select listener_key, local_date, recording_key, artist_key, false as is_now
        from counted_before
        where not is_excluded
        union all
        select p.listener_key, p.local_date, t.recording_key, p.artist_key, true
        from counted_after as p
        inner join mart.counted_track as t on t.track_key = p.track_key
        where not p.is_excluded
    ) as p
    cross join lateral (
        values ('recording'::mart.counted_kind, p.recording_key), ('artist', p.artist_key)
    ) as i (kind, item_key)
    where i.item_key > 0
) as heard
group by listener_key, kind, item_key, year;

analyze day_item;

-- Those that are new to a year or to all time, or no longer in it: if no unchanged day has them. Each is looked up by
-- itself, so that the cost does not depend on the number of other plays.
create temporary table item_entry on commit drop as
select d.listener_key, d.kind, d.item_key, d.year, case when d.is_now then 1 else -1 end as entries
from (
    select listener_key, kind, item_key, year, is_before, is_now from day_item
    union all
    select listener_key, kind, item_key, 0, bool_or(is_before), bool_or(is_now)
    from day_item
    group by listener_key, kind, item_key
) as d
left join lateral (
    select 1 as it
    from mart.counted_track as t
    inner join unchanged_play as u on u.track_key = t.track_key and u.listener_key = d.listener_key
    where d.kind = 'recording'
        and t.recording_key = d.item_key
        and (d.year = 0 or extract(year from u.local_date) = d.year)
    limit 1
) as r on true
left join lateral (
    select 1 as it
    from unchanged_play as u
    where d.kind = 'artist'
        and u.artist_key = d.item_key
        and u.listener_key = d.listener_key
        and (d.year = 0 or extract(year from u.local_date) = d.year)
    limit 1
) as a on true
where d.is_before <> d.is_now and r.it is null and a.it is null;

analyze item_entry;

-- The first year of artists that were added to a year or removed from one, before and now.
create temporary table first_year on commit drop as
select
    d.listener_key,
    least(min(d.year) filter (where d.is_before), min(u.year)) as before,
    least(min(d.year) filter (where d.is_now), min(u.year)) as now
from (select distinct listener_key, item_key from item_entry where kind = 'artist' and year > 0) as e
inner join day_item as d on d.listener_key = e.listener_key and d.kind = 'artist' and d.item_key = e.item_key
left join lateral (
    select extract(year from min(p.local_date))::smallint as year
    from unchanged_play as p
    where p.artist_key = d.item_key and p.listener_key = d.listener_key
) as u on true
group by d.listener_key, d.item_key;

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
    select c.listener_key, y.year, c.plays, c.ms_played, 0 as tracks, 0 as artists, 0 as new_artists
    from (
        select
            listener_key, extract(year from month_start)::smallint as year, sum(plays) as plays,
            sum(ms_played) as ms_played
        from play_change
        group by listener_key, month_start
    ) as c
    cross join lateral (values (c.year), (0::smallint)) as y (year)
    union all
    select listener_key, year, 0, 0, entries, 0, 0 from item_entry where kind = 'recording'
    union all
    select listener_key, year, 0, 0, 0, entries, case when year = 0 then entries else 0 end
    from item_entry
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

-- The longest sessions of the years: of the former ones and the new ones; of all if the former one is gone or unknown.
create temporary table longest_session on commit drop as
with former as (
    select
        n.listener_key, n.year, y.longest_session_at, y.longest_session_ms,
        y.listener_key is null or b.listener_key is not null as is_compared
    from year_now as n
    left join mart.listener_year as y on y.listener_key = n.listener_key and y.year = n.year
    left join session_before as b on b.listener_key = y.listener_key and b.started_at = y.longest_session_at
    where n.year > 0
)

select distinct on (listener_key, year) listener_key, year, started_at, duration_ms
from (
    select listener_key, year, started_at, duration_ms from session_now
    union all
    select listener_key, year, longest_session_at, longest_session_ms
    from former
    where longest_session_at is not null and not is_compared
    union all
    select f.listener_key, f.year, s.started_at, s.duration_ms
    from former as f
    cross join lateral (
        select started_at, duration_ms from mart.session where listener_key = f.listener_key and year = f.year offset 0
    ) as s
    where f.is_compared
) as s
order by listener_key, year, duration_ms desc, started_at;

analyze longest_session;

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
left join longest_session as s on s.listener_key = n.listener_key and s.year = n.year
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
