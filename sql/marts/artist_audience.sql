-- The first changed day on which a user played an artist in a country and week, before and now.
create temporary table day_listener on commit drop as
select
    p.artist_key,
    p.listener_key,
    k.country,
    date_trunc('week', p.local_date::timestamp)::date as week_start,
    min(p.local_date) filter (where not p.is_now) as first_before,
    min(p.local_date) filter (where p.is_now) as first_now
from (
    select artist_key, listener_key, listening_context_key, local_date, false as is_now
    from counted_before
    where not is_excluded
    union all
    select artist_key, listener_key, listening_context_key, local_date, true
    from counted_after
    where not is_excluded
) as p
inner join mart.listening_context as k on k.listening_context_key = p.listening_context_key
where p.artist_key > 0
group by p.artist_key, p.listener_key, k.country, date_trunc('week', p.local_date::timestamp)::date;

analyze day_listener;

-- Users who are new to an artist's country, or no longer in it: if no unchanged day has them. Each is looked up by
-- itself, so that the cost does not depend on the number of other plays.
create temporary table country_entry on commit drop as
select d.artist_key, d.country, case when d.is_now then 1 else -1 end as listeners
from (
    select
        artist_key, listener_key, country, bool_or(first_before is not null) as is_before,
        bool_or(first_now is not null) as is_now
    from day_listener
    group by artist_key, listener_key, country
) as d
left join lateral (
    select 1 as it
    from unchanged_play as u
    inner join mart.listening_context as k on k.listening_context_key = u.listening_context_key
    where u.artist_key = d.artist_key and u.listener_key = d.listener_key and k.country = d.country
    limit 1
) as u on true
where d.is_before <> d.is_now and u.it is null;

-- The first weeks of users with an artist, before and now; an unchanged day that is earlier decides both.
create temporary table first_week on commit drop as
select
    d.artist_key,
    date_trunc('week', least(d.first_before, u.first_date)::timestamp)::date as before,
    date_trunc('week', least(d.first_now, u.first_date)::timestamp)::date as now
from (
    select artist_key, listener_key, min(first_before) as first_before, min(first_now) as first_now
    from day_listener
    group by artist_key, listener_key
) as d
left join lateral (
    select 1 as it
    from unchanged_play as p
    where p.artist_key = d.artist_key
        and p.listener_key = d.listener_key
        and p.local_date <= least(d.first_before, d.first_now)
    limit 1
) as e on true
left join lateral (
    select min(p.local_date) as first_date
    from unchanged_play as p
    where p.artist_key = d.artist_key and p.listener_key = d.listener_key
) as u on true
where d.first_before is distinct from d.first_now and e.it is null;

-- Users who are new to an artist's week, or no longer in it.
create temporary table week_listener on commit drop as
select *
from (
    select
        artist_key, listener_key, week_start, bool_or(first_before is not null) as is_before,
        bool_or(first_now is not null) as is_now
    from day_listener
    group by artist_key, listener_key, week_start
) as d
where is_before <> is_now;

analyze week_listener;

create temporary table unchanged_week on commit drop as
select w.listener_key, w.week_start, p.artist_key
from (select distinct listener_key, week_start from week_listener) as w
cross join lateral (
    select u.artist_key
    from unchanged_play as u
    where u.listener_key = w.listener_key and u.local_date between w.week_start and w.week_start + 6
    offset 0
) as p
group by w.listener_key, w.week_start, p.artist_key;

analyze unchanged_week;

insert into mart.artist_week as w (artist_key, week_start, plays, listeners, new_listeners, ms_played)
select artist_key, week_start, sum(plays), sum(listeners), sum(new_listeners), sum(ms_played)
from (
    select
        artist_key, week_start, sum(plays) as plays, 0 as listeners, 0 as new_listeners, sum(ms_played) as ms_played
    from play_change
    where artist_key > 0
    group by artist_key, week_start
    union all
    select d.artist_key, d.week_start, 0, case when d.is_now then 1 else -1 end, 0, 0
    from week_listener as d
    where not exists (
        select
        from unchanged_week as u
        where u.artist_key = d.artist_key and u.listener_key = d.listener_key and u.week_start = d.week_start
    )
    union all
    select artist_key, before, 0, 0, -1, 0 from first_week where before is distinct from now and before is not null
    union all
    select artist_key, now, 0, 0, 1, 0 from first_week where before is distinct from now and now is not null
) as told
group by artist_key, week_start
order by artist_key, week_start
on conflict (artist_key, week_start) do update
set plays = w.plays + excluded.plays,
    listeners = w.listeners + excluded.listeners,
    new_listeners = w.new_listeners + excluded.new_listeners,
    ms_played = w.ms_played + excluded.ms_played;

delete from mart.artist_week as w
using (select distinct artist_key, week_start from day_listener) as c
where w.plays = 0 and w.artist_key = c.artist_key and w.week_start = c.week_start;

insert into mart.artist_country as a (artist_key, plays, listeners, ms_played, country)
select artist_key, sum(plays), sum(listeners), sum(ms_played), country
from (
    select c.artist_key, k.country, sum(c.plays) as plays, 0 as listeners, sum(c.ms_played) as ms_played
    from play_change as c
    inner join mart.listening_context as k on k.listening_context_key = c.listening_context_key
    where c.artist_key > 0
    group by c.artist_key, k.country
    union all
    select artist_key, country, 0, listeners, 0 from country_entry
) as told
group by artist_key, country
order by artist_key, country
on conflict (artist_key, country) do update
set plays = a.plays + excluded.plays,
    listeners = a.listeners + excluded.listeners,
    ms_played = a.ms_played + excluded.ms_played;

delete from mart.artist_country as a
using (select distinct artist_key, country from day_listener) as c
where a.plays = 0 and a.artist_key = c.artist_key and a.country = c.country;

insert into mart.artist_track as a (artist_key, recording_key, ms_played, plays)
select artist_key, recording_key, sum(ms_played), sum(plays)
from play_change
where artist_key > 0 and recording_key > 0
group by artist_key, recording_key
order by artist_key, recording_key
on conflict (artist_key, recording_key) do update
set ms_played = a.ms_played + excluded.ms_played, plays = a.plays + excluded.plays;

delete from mart.artist_track as a
using play_change as c
where a.plays = 0 and a.artist_key = c.artist_key and a.recording_key = c.recording_key;

-- For artists who have logins: plays that are not published yet.
insert into audit.unpublished_play as u (artist_key, listener_key, week_start, recording_key, country, plays)
select c.artist_key, c.listener_key, c.week_start, greatest(c.recording_key, 0), k.country, sum(c.plays)
from published_change as c
inner join mart.listening_context as k on k.listening_context_key = c.listening_context_key
group by 1, 2, 3, 4, 5
having sum(c.plays) <> 0
on conflict (artist_key, listener_key, week_start, recording_key, country) do update
set plays = u.plays + excluded.plays;
