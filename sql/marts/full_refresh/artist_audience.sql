insert into mart.artist_listener (artist_key, listener_key, first_date, plays, country)
select p.artist_key, p.listener_key, min(p.local_date), count(*), k.country
from play_change as p
inner join mart.listening_context as k on k.listening_context_key = p.listening_context_key
where p.artist_key > 0
group by p.artist_key, p.listener_key, k.country;

insert into mart.artist_week (artist_key, week_start, plays, listeners, new_listeners, ms_played)
with first_week as (
    select artist_key, listener_key, date_trunc('week', min(first_date)::timestamp)::date as week_start
    from mart.artist_listener
    group by artist_key, listener_key
),

new_listener as (
    select artist_key, week_start, count(*) as listeners from first_week group by artist_key, week_start
),

listener_week as (
    select artist_key, listener_key, week_start, count(*) as plays, sum(ms_played) as ms_played
    from play_change
    where artist_key > 0
    group by artist_key, listener_key, week_start
)

select w.artist_key, w.week_start, w.plays, w.listeners, coalesce(n.listeners, 0), w.ms_played
from (
    select artist_key, week_start, sum(plays) as plays, count(*) as listeners, sum(ms_played) as ms_played
    from listener_week
    group by artist_key, week_start
) as w
left join new_listener as n on n.artist_key = w.artist_key and n.week_start = w.week_start;

insert into mart.artist_country (artist_key, plays, listeners, ms_played, country)
select p.artist_key, p.plays, l.listeners, p.ms_played, p.country
from (
    select c.artist_key, k.country, count(*) as plays, sum(c.ms_played) as ms_played
    from play_change as c
    inner join mart.listening_context as k on k.listening_context_key = c.listening_context_key
    where c.artist_key > 0
    group by c.artist_key, k.country
) as p
inner join (
    select artist_key, country, count(*) as listeners from mart.artist_listener group by artist_key, country
) as l on l.artist_key = p.artist_key and l.country = p.country;

insert into mart.artist_track (artist_key, recording_key, ms_played, plays)
select artist_key, recording_key, sum(ms_played), count(*)
from play_change
where artist_key > 0 and recording_key > 0
group by artist_key, recording_key;

-- For artists who have logins: the difference from the plays counted so far, which are in the tables that readers see.
-- A quoted schema names those.
insert into audit.unpublished_play as u (artist_key, listener_key, week_start, recording_key, country, plays)
select p.artist_key, p.listener_key, p.week_start, greatest(p.recording_key, 0), k.country, sum(p.plays)
from (
    select artist_key, listener_key, week_start, recording_key, listening_context_key, plays
    from play_change
    where artist_key in (select artist_key from audit.published_artist)
    union all
    select
        c.artist_key,
        c.listener_key,
        date_trunc('week', c.local_date::timestamp)::date,
        t.recording_key,
        c.listening_context_key,
        -1
    from "mart".counted_play as c
    inner join "mart".counted_track as t on t.track_key = c.track_key
    where not c.is_excluded and c.artist_key in (select artist_key from audit.published_artist)
) as p
inner join mart.listening_context as k on k.listening_context_key = p.listening_context_key
group by 1, 2, 3, 4, 5
having sum(p.plays) <> 0
on conflict (artist_key, listener_key, week_start, recording_key, country) do update
set plays = u.plays + excluded.plays;
