-- All plays are added.
create unlogged table play_change as
select
    p.listener_key,
    p.local_date,
    date_trunc('week', p.local_date::timestamp)::date as week_start,
    extract(year from p.local_date)::smallint as year,
    p.listening_context_key,
    p.track_key,
    t.recording_key,
    p.artist_key,
    t.audio_features_type,
    p.local_hour,
    1 as plays,
    p.ms_played
from mart.counted_play as p
inner join mart.counted_track as t on t.track_key = p.track_key
where not p.is_excluded;

analyze play_change;
