-- Left joins on unique keys: a query pays only for the names that it selects, because the planner removes the other
-- joins.
create view mart.event_wide as
select
    e.event_id,
    e.event_time,
    e.local_time,
    u.user_id,
    e.country,
    e.continent,
    coalesce(c.subscription_plan, u.subscription_plan) as subscription_plan,
    e.activity_type,
    t.name as track_name,
    t.track_id,
    r.track_id as recording_id,
    a.name as artist_name,
    l.name as album_name,
    p.name as playlist_name,
    t.primary_genre,
    k.name as audio_cluster_name,
    e.ms_played,
    e.is_skipped,
    e.device_type,
    e.source,
    c.platform,
    c.reason_start,
    c.reason_end,
    c.is_shuffle,
    c.is_offline,
    c.is_incognito
from warehouse.fact_event as e
left join warehouse.dim_user as u on u.user_key = e.user_key
left join warehouse.dim_track as t on t.track_key = e.track_key and t.track_key <> 0
left join warehouse.dim_track as r on r.track_key = t.recording_key
left join warehouse.dim_album as l on l.album_key = t.album_key and l.album_key <> 0
left join warehouse.dim_audio_cluster as k on k.audio_features_type = t.audio_features_type
left join warehouse.dim_artist as a on a.artist_key = e.artist_key and a.artist_key <> 0
left join warehouse.dim_playlist as p on p.playlist_key = e.playlist_key and p.playlist_key <> 0
left join warehouse.dim_play_context as c on c.context_key = e.context_key and c.context_key <> 0;

comment on view mart.event_wide is 'An event with names instead of keys. With a condition on event_time, only its months are read. A name is NULL if it does not apply.';
comment on column mart.event_wide.event_id is 'The event, as in warehouse.fact_event.';
comment on column mart.event_wide.event_time is 'When it happened, UTC; of a play its start.';
comment on column mart.event_wide.local_time is 'event_time on the listener''s clock.';
comment on column mart.event_wide.user_id is 'The user.';
comment on column mart.event_wide.country is 'Country where the user was, ISO 3166-1 alpha-2; NULL if the source does not give it.';
comment on column mart.event_wide.continent is 'Continent of that country.';
comment on column mart.event_wide.subscription_plan is 'The plan that the event names, else the user''s at that time.';
comment on column mart.event_wide.activity_type is 'PLAY, PAUSE, SKIP, LIKE or FOLLOW.';
comment on column mart.event_wide.track_name is 'Name of the track.';
comment on column mart.event_wide.track_id is 'The track id; name-derived if the source has no id.';
comment on column mart.event_wide.recording_id is 'The track id that names the recording: count these to count tracks.';
comment on column mart.event_wide.artist_name is 'The artist that the event names, else the track''s first.';
comment on column mart.event_wide.album_name is 'Name of the album.';
comment on column mart.event_wide.playlist_name is 'The playlist that was played from or added to.';
comment on column mart.event_wide.primary_genre is 'The track''s first genre; "unknown" if it has none.';
comment on column mart.event_wide.audio_cluster_name is 'Name of the track''s audio cluster; NULL without audio features.';
comment on column mart.event_wide.ms_played is 'Time for which sound was heard, ms; NULL if the source does not give it, and for events that are not plays.';
comment on column mart.event_wide.is_skipped is 'Whether the row is a skip: a SKIP of a feed, or a play that its export marks as skipped.';
comment on column mart.event_wide.device_type is 'MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL if the source does not give it or it is another kind.';
comment on column mart.event_wide.source is 'Where the event comes from: feed, extended_export, recently_played, basic_export, library_export, apple_music_export, listenbrainz_export, lastfm_export, youtube_music_export, saved_tracks, followed_artists.';
comment on column mart.event_wide.platform is 'Of a play: platform as the source writes it.';
comment on column mart.event_wide.reason_start is 'Of a play: why it began.';
comment on column mart.event_wide.reason_end is 'Of a play: why it ended.';
comment on column mart.event_wide.is_shuffle is 'Of a play: whether shuffle was on.';
comment on column mart.event_wide.is_offline is 'Of a play: whether the device was offline.';
comment on column mart.event_wide.is_incognito is 'Of a play: whether it was in a private session.';
