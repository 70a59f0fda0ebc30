-- All plays came.
create temporary view play_change as
select
    p.listener_key,
    p.local_date,
    p.circumstance_key,
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

create temporary view genre_change as
select
    p.listener_key,
    p.local_date,
    p.circumstance_key,
    g.genre_key,
    g.weight_millionths::bigint as play_millionths,
    p.ms_played::bigint * g.weight_millionths as ms_millionths
from mart.counted_play as p
inner join mart.counted_track_genre as g on g.track_key = p.track_key
where not p.is_excluded;

analyze mart.counted_play, mart.counted_track, mart.counted_track_genre;
