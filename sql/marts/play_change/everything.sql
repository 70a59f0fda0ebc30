-- All plays are added.
create unlogged table play_change as
select
    p.listener_key,
    p.local_date,
    date_trunc('week', p.local_date::timestamp)::date as week_start,
    date_trunc('month', p.local_date::timestamp)::date as month_start,
    p.listening_context_key,
    p.track_key,
    t.recording_key,
    p.artist_key,
    t.audio_features_type,
    p.local_hour,
    1 as plays,
    p.ms_played::bigint as ms_played
from mart.counted_play as p
inner join mart.counted_track as t on t.track_key = p.track_key
where not p.is_excluded;

analyze play_change;

create view genre_change as
select
    c.listener_key,
    c.local_date,
    c.month_start,
    c.listening_context_key,
    g.genre_key,
    g.weight_millionths::bigint as play_millionths,
    c.ms_played * g.weight_millionths as ms_millionths
from play_change as c
inner join mart.counted_track_genre as g on g.track_key = c.track_key
where g.weight_millionths <> 0;

create view counted_after as
select * from mart.counted_play;

-- For artists who have logins: the difference from the plays counted so far, which are in the tables that readers see.
-- A quoted schema names those.
create unlogged table published_change as
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
where not c.is_excluded and c.artist_key in (select artist_key from audit.published_artist);
