-- The plays of the changed days as they were counted, then as they are. Each day is looked up by itself, so that the
-- cost does not depend on the number of other days.
create temporary table counted_gone (like mart.counted_play) on commit drop;

with gone as (
    delete from mart.counted_play as p
    using (
        select f.place
        from changed_day as d
        cross join lateral (
            select c.ctid as place
            from mart.counted_play as c
            where c.listener_key = d.listener_key and c.local_date = d.local_date
            offset 0
        ) as f
    ) as t
    where p.ctid = t.place
    returning p.*
)

insert into counted_gone select * from gone;

create temporary table counted_before on commit drop as
select g.*, t.recording_key, t.audio_features_type
from counted_gone as g
inner join mart.counted_track as t on t.track_key = g.track_key;

analyze counted_before;

insert into mart.listening_context (country, continent, device_type, subscription_plan)
select country, continent, device_type, subscription_plan from near_event
except
select country, continent, device_type, subscription_plan from mart.listening_context;

analyze mart.listening_context;

insert into mart.counted_play (
    event_time, listener_key, local_date, listening_context_key, track_key, artist_key, ms_played, local_hour,
    is_excluded, is_from_playlist
)
select
    e.event_time,
    e.listener_key,
    e.local_date,
    c.listening_context_key,
    e.track_key,
    e.artist_key,
    e.ms_played,
    e.local_hour,
    e.is_excluded,
    e.is_from_playlist
from changed_event as e
inner join mart.listening_context as c using (country, continent, device_type, subscription_plan)
where e.is_play;

create temporary table genre_before on commit drop as
select g.*
from (select distinct track_key from counted_before) as t
inner join mart.counted_track_genre as g on g.track_key = t.track_key;

create temporary table played_track on commit drop as
select distinct track_key from changed_event where is_play;

analyze played_track;

insert into mart.counted_track as c (track_key, recording_key, audio_features_type, release_month)
select
    t.track_key,
    t.recording_key,
    t.audio_features_type,
    (extract(year from t.release_date) * 12 + extract(month from t.release_date) - 1)::integer
from played_track as p
inner join warehouse.dim_track as t on t.track_key = p.track_key
on conflict (track_key) do update
set recording_key = excluded.recording_key,
    audio_features_type = excluded.audio_features_type,
    release_month = excluded.release_month
where (c.recording_key, c.audio_features_type, c.release_month)
    is distinct from (excluded.recording_key, excluded.audio_features_type, excluded.release_month);

delete from mart.counted_track_genre as g
using played_track as p
where g.track_key = p.track_key
    and not exists (
        select
        from warehouse.bridge_track_genre as b
        where b.track_key = g.track_key
            and b.genre_key = g.genre_key
            and round(b.weight * 1000000)::integer = g.weight_millionths
    );

insert into mart.counted_track_genre (track_key, genre_key, weight_millionths)
select b.track_key, b.genre_key, round(b.weight * 1000000)::integer
from played_track as p
inner join warehouse.bridge_track_genre as b on b.track_key = p.track_key
where b.genre_key > 0
on conflict do nothing;

-- Tracks without any plays left; looked up one by one, so that a few tracks do not cause a read of all plays.
create temporary table unplayed_track on commit drop as
select b.track_key
from (select distinct track_key from counted_before) as b
left join lateral (select 1 as it from mart.counted_play as p where p.track_key = b.track_key limit 1) as p on true
where p.it is null;

delete from mart.counted_track as t
using unplayed_track as u
where t.track_key = u.track_key;

delete from mart.counted_track_genre as g
using unplayed_track as u
where g.track_key = u.track_key;
