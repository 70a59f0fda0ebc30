-- Listeners of an artist by country, before and now.
create temporary table pair_change on commit drop as
select
    c.artist_key,
    c.listener_key,
    k.country,
    sum(c.plays)::integer as plays,
    min(c.local_date) filter (where c.plays > 0) as first_added,
    bool_or(c.plays < 0) as is_reduced
from play_change as c
inner join mart.listening_context as k on k.listening_context_key = c.listening_context_key
where c.artist_key > 0
group by c.artist_key, c.listener_key, k.country;

analyze pair_change;

create temporary table pair_before on commit drop as
select a.*
from (select distinct artist_key, listener_key from pair_change) as p
cross join lateral (
    select *
    from mart.artist_listener as l
    where l.artist_key = p.artist_key and l.listener_key = p.listener_key
    offset 0
) as a;

analyze pair_before;

create temporary table pair_now (like mart.artist_listener) on commit drop;

with counted as (
    insert into mart.artist_listener as l (artist_key, listener_key, first_date, plays, country)
    select
        p.artist_key,
        p.listener_key,
        coalesce(p.first_added, 'infinity'),
        p.plays,
        p.country
    from pair_change as p
    order by p.artist_key, p.listener_key, p.country
    on conflict (artist_key, listener_key, country) do update
    set plays = l.plays + excluded.plays, first_date = least(l.first_date, excluded.first_date)
    returning l.*
)

insert into pair_now select * from counted;

analyze pair_now;

delete from mart.artist_listener as l
using pair_now as n
where n.plays = 0 and l.artist_key = n.artist_key and l.listener_key = n.listener_key and l.country = n.country;

-- If plays were removed, the first play may have been among them.
update mart.artist_listener as l
set first_date = f.first_date
from pair_change as c
cross join lateral (
    select min(p.local_date) as first_date
    from mart.counted_play as p
    inner join mart.listening_context as k on k.listening_context_key = p.listening_context_key
    where p.listener_key = c.listener_key
        and p.artist_key = c.artist_key
        and k.country = c.country
        and not p.is_excluded
) as f
where c.is_reduced
    and l.artist_key = c.artist_key
    and l.listener_key = c.listener_key
    and l.country = c.country
    and l.first_date <> f.first_date;

create temporary table first_week on commit drop as
select
    p.artist_key,
    date_trunc('week', b.first_date::timestamp)::date as before,
    date_trunc('week', n.first_date::timestamp)::date as now
from (select distinct artist_key, listener_key from pair_change) as p
left join (
    select artist_key, listener_key, min(first_date) as first_date from pair_before group by artist_key, listener_key
) as b on b.artist_key = p.artist_key and b.listener_key = p.listener_key
left join lateral (
    select min(l.first_date) as first_date
    from mart.artist_listener as l
    where l.artist_key = p.artist_key and l.listener_key = p.listener_key
) as n on true;

-- Users' weeks with an artist, as they are now, and their difference from before.
create temporary table week_change on commit drop as
select
    artist_key,
    listener_key,
    date_trunc('week', local_date::timestamp)::date as week_start,
    sum(plays) as plays,
    sum(ms_played) as ms_played
from play_change
where artist_key > 0
group by 1, 2, 3;

analyze week_change;

create temporary table week_now on commit drop as
select w.listener_key, w.week_start, p.artist_key, count(*) as plays
from (select distinct listener_key, week_start from week_change) as w
cross join lateral (
    select c.artist_key
    from mart.counted_play as c
    where c.listener_key = w.listener_key
        and c.local_date between w.week_start and w.week_start + 6
        and not c.is_excluded
    offset 0
) as p
group by w.listener_key, w.week_start, p.artist_key;

analyze week_now;

insert into mart.artist_week as w (artist_key, week_start, plays, listeners, new_listeners, ms_played)
select artist_key, week_start, sum(plays), sum(listeners), sum(new_listeners), sum(ms_played)
from (
    select
        c.artist_key,
        c.week_start,
        c.plays,
        case when n.plays is null then -1 when n.plays = c.plays then 1 else 0 end as listeners,
        0 as new_listeners,
        c.ms_played
    from week_change as c
    left join week_now as n
        on n.artist_key = c.artist_key and n.listener_key = c.listener_key and n.week_start = c.week_start
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
using week_change as c
where w.plays = 0 and w.artist_key = c.artist_key and w.week_start = c.week_start;

insert into mart.artist_country as a (artist_key, plays, listeners, ms_played, country)
select artist_key, sum(plays), sum(listeners), sum(ms_played), country
from (
    select c.artist_key, k.country, c.plays, 0 as listeners, c.ms_played
    from play_change as c
    inner join mart.listening_context as k on k.listening_context_key = c.listening_context_key
    where c.artist_key > 0
    union all
    select
        n.artist_key,
        n.country,
        0,
        case when n.plays = 0 then -1 when n.plays = c.plays then 1 else 0 end,
        0
    from pair_now as n
    inner join pair_change as c
        on c.artist_key = n.artist_key and c.listener_key = n.listener_key and c.country = n.country
) as told
group by artist_key, country
order by artist_key, country
on conflict (artist_key, country) do update
set plays = a.plays + excluded.plays,
    listeners = a.listeners + excluded.listeners,
    ms_played = a.ms_played + excluded.ms_played;

delete from mart.artist_country as a
using pair_change as c
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
select
    c.artist_key,
    c.listener_key,
    date_trunc('week', c.local_date::timestamp)::date,
    greatest(c.recording_key, 0),
    k.country,
    sum(c.plays)
from play_change as c
inner join mart.listening_context as k on k.listening_context_key = c.listening_context_key
where c.artist_key in (select artist_key from audit.published_artist)
group by 1, 2, 3, 4, 5
having sum(c.plays) <> 0
on conflict (artist_key, listener_key, week_start, recording_key, country) do update
set plays = u.plays + excluded.plays;
