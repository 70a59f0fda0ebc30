create view mart.my_event with (security_barrier) as
select e.*
from mart.event_wide as e
where e.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_event is 'Your own events with names instead of keys; every query reads all of them.';
comment on column mart.my_event.event_id is 'The event, as in warehouse.fact_event.';
comment on column mart.my_event.event_time is 'When it happened, UTC; of a play its start.';
comment on column mart.my_event.local_time is 'event_time on the listener''s clock.';
comment on column mart.my_event.user_id is 'The user.';
comment on column mart.my_event.country is 'Country where the user was, ISO 3166-1 alpha-2; NULL if the source does not give it.';
comment on column mart.my_event.continent is 'Continent of that country.';
comment on column mart.my_event.subscription_plan is 'The plan that the event names, else the user''s at that time.';
comment on column mart.my_event.activity_type is 'PLAY, PAUSE, SKIP, LIKE or FOLLOW.';
comment on column mart.my_event.track_name is 'Name of the track.';
comment on column mart.my_event.track_id is 'The track id; name-derived if the source has no id.';
comment on column mart.my_event.recording_id is 'The track id that names the recording: count these to count tracks.';
comment on column mart.my_event.artist_name is 'The artist that the event names, else the track''s first.';
comment on column mart.my_event.album_name is 'Name of the album.';
comment on column mart.my_event.playlist_name is 'The playlist that was played from or added to.';
comment on column mart.my_event.primary_genre is 'The track''s first genre; "unknown" if it has none.';
comment on column mart.my_event.audio_cluster_name is 'Name of the track''s audio cluster; NULL without audio features.';
comment on column mart.my_event.ms_played is 'Time for which sound was heard, ms; NULL if the source does not give it, and for events that are not plays.';
comment on column mart.my_event.is_skipped is 'Whether the row is a skip: a SKIP of a feed, or a play that its export marks as skipped.';
comment on column mart.my_event.device_type is 'MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL if the source does not give it or it is another kind.';
comment on column mart.my_event.source is 'Where the event comes from: feed, extended_export, recently_played, basic_export, library_export, apple_music_export, listenbrainz_export, lastfm_export, youtube_music_export, saved_tracks, followed_artists.';
comment on column mart.my_event.platform is 'Of a play: platform as the source writes it.';
comment on column mart.my_event.reason_start is 'Of a play: why it began.';
comment on column mart.my_event.reason_end is 'Of a play: why it ended.';
comment on column mart.my_event.is_shuffle is 'Of a play: whether shuffle was on.';
comment on column mart.my_event.is_offline is 'Of a play: whether the device was offline.';
comment on column mart.my_event.is_incognito is 'Of a play: whether it was in a private session.';
