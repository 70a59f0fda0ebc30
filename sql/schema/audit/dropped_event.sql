create table audit.dropped_event (
    like warehouse.fact_event including constraints,
    constraint dropped_event_pkey primary key (event_id, event_time)
);

create index dropped_event_user_key_idx on audit.dropped_event (user_key, event_time);

comment on table audit.dropped_event is 'Plays that another record reports too, with the columns of fact_event: if that record changes, they return.';
comment on column audit.dropped_event.event_id is 'The event id: event_time in ms, then a hash of what identifies the event within its source; its order is that of time.';
comment on column audit.dropped_event.event_time is 'When it happened, UTC; of a play its start.';
comment on column audit.dropped_event.started_at is 'When the play began, if the source gives it or it follows from the end; else NULL.';
comment on column audit.dropped_event.ended_at is 'When the play ended.';
comment on column audit.dropped_event.local_time is 'event_time on the listener''s clock: in the timezone that the event names, else in the user''s at that time, else UTC.';
comment on column audit.dropped_event.user_key is 'The version of the user that was valid at that time.';
comment on column audit.dropped_event.track_key is 'The track; 0 if the event has none, such as a FOLLOW.';
comment on column audit.dropped_event.artist_key is 'The artist that the event names, else the track''s first; 0 if the event has none.';
comment on column audit.dropped_event.playlist_key is 'The playlist that was played from or added to; 0 if none is named.';
comment on column audit.dropped_event.context_key is 'The listening context; 0 for events that are not plays.';
comment on column audit.dropped_event.date_key is 'The listener''s own day.';
comment on column audit.dropped_event.utc_date_key is 'The day in UTC.';
comment on column audit.dropped_event.ms_played is 'Time for which sound was heard, ms; NULL if the source does not give it, and for events that are not plays.';
comment on column audit.dropped_event.input_key is 'The input that contained the event.';
comment on column audit.dropped_event.local_hour is 'Hour of local_time, 0 to 23.';
comment on column audit.dropped_event.is_skipped is 'Whether the row is a skip: a SKIP of a feed, or a play that its export marks as skipped.';
comment on column audit.dropped_event.is_home_time is 'Whether local_time is that of the user''s home, because the event names no timezone.';
comment on column audit.dropped_event.activity_type is 'PLAY, PAUSE, SKIP, LIKE or FOLLOW.';
comment on column audit.dropped_event.device_type is 'MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL if the source does not give it or it is another kind.';
comment on column audit.dropped_event.country is 'Country where the user was, ISO 3166-1 alpha-2.';
comment on column audit.dropped_event.continent is 'Continent of that country.';
comment on column audit.dropped_event.source is 'Where the event comes from: feed, extended_export, recently_played, basic_export, library_export, apple_music_export, listenbrainz_export, lastfm_export, youtube_music_export, saved_tracks, followed_artists.';
