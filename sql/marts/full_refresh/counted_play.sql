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
from near_event as e
inner join mart.listening_context as c using (country, continent, device_type, subscription_plan)
where e.is_play;

insert into mart.counted_track (track_key, recording_key, audio_features_type, release_month)
select
    t.track_key,
    t.recording_key,
    t.audio_features_type,
    (extract(year from t.release_date) * 12 + extract(month from t.release_date) - 1)::integer
from (select distinct track_key from mart.counted_play) as p
inner join warehouse.dim_track as t on t.track_key = p.track_key;

insert into mart.counted_track_genre (track_key, genre_key, weight_millionths)
select b.track_key, b.genre_key, round(b.weight * 1000000)::integer
from mart.counted_track as t
inner join warehouse.bridge_track_genre as b on b.track_key = t.track_key
where b.genre_key > 0;
