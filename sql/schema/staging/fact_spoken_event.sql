create table staging.fact_spoken_event (like warehouse.fact_spoken_event including constraints)
partition by range (event_time);

comment on table staging.fact_spoken_event is 'The same of podcasts and audiobooks, for warehouse.fact_spoken_event.';
comment on column staging.fact_spoken_event.event_id is 'The event id: event_time in ms, then a hash of what identifies the event within its source; its order is that of time.';
comment on column staging.fact_spoken_event.event_time is 'When it happened, UTC; of a play its start.';
comment on column staging.fact_spoken_event.started_at is 'When the play began, if the source gives it or it follows from the end; else NULL.';
comment on column staging.fact_spoken_event.ended_at is 'When the play ended.';
comment on column staging.fact_spoken_event.local_time is 'event_time on the listener''s clock: in the timezone that the event names, else in the user''s at that time, else UTC.';
comment on column staging.fact_spoken_event.user_key is 'The version of the user that was valid at that time.';
comment on column staging.fact_spoken_event.context_key is 'The listening context; 0 for events that are not plays.';
comment on column staging.fact_spoken_event.date_key is 'The listener''s own day.';
comment on column staging.fact_spoken_event.utc_date_key is 'The day in UTC.';
comment on column staging.fact_spoken_event.ms_played is 'Time for which sound was heard, ms; NULL if the source does not give it, and for events that are not plays.';
comment on column staging.fact_spoken_event.input_key is 'The input that contained the event.';
comment on column staging.fact_spoken_event.local_hour is 'Hour of local_time, 0 to 23.';
comment on column staging.fact_spoken_event.is_skipped is 'Whether the row is a skip: a SKIP of a feed, or a play that its export marks as skipped.';
comment on column staging.fact_spoken_event.is_home_time is 'Whether local_time is that of the user''s home, because the event names no timezone.';
comment on column staging.fact_spoken_event.spoken_id is 'The episode or chapter, by its Spotify URI or a name-derived id.';
comment on column staging.fact_spoken_event.spoken_name is 'Its name.';
comment on column staging.fact_spoken_event.show_name is 'The podcast or audiobook.';
comment on column staging.fact_spoken_event.activity_type is 'PLAY, PAUSE, SKIP, LIKE or FOLLOW.';
comment on column staging.fact_spoken_event.device_type is 'MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL if the source does not give it or it is another kind.';
comment on column staging.fact_spoken_event.country is 'Country where the user was, ISO 3166-1 alpha-2.';
comment on column staging.fact_spoken_event.continent is 'Continent of that country.';
comment on column staging.fact_spoken_event.source is 'Where the event comes from: feed, extended_export, recently_played, basic_export, library_export, apple_music_export, listenbrainz_export, lastfm_export, youtube_music_export, saved_tracks, followed_artists.';
