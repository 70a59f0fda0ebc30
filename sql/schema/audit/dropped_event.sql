create table audit.dropped_event (
    like warehouse.fact_event including constraints,
    constraint dropped_event_pkey primary key (event_id, event_time)
);

create index dropped_event_user_key_idx on audit.dropped_event (user_key, event_time);

comment on table audit.dropped_event is 'Plays that another record reports too, as they would stand in fact_event: should that one change, they are back.';
comment on column audit.dropped_event.event_id is 'The event, by what it is within its source: begins with event_time in ms, then a hash; sorted by it is sorted by time.';
comment on column audit.dropped_event.event_time is 'When it happened, UTC; of a play its start.';
comment on column audit.dropped_event.started_at is 'When the play began, where the source says so or it follows from the end.';
comment on column audit.dropped_event.ended_at is 'When the play ended.';
comment on column audit.dropped_event.local_time is 'event_time on the listener''s clock: in the timezone that the event names, else in the user''s at that time, else UTC.';
comment on column audit.dropped_event.user_key is 'The version of the user that held at that time.';
comment on column audit.dropped_event.track_key is 'The track; 0 where the event is about none, as a FOLLOW.';
comment on column audit.dropped_event.artist_key is 'The artist that the event names, else the track''s first; 0 where it is about none.';
comment on column audit.dropped_event.playlist_key is 'The playlist that was played from or added to; 0 where none is named.';
comment on column audit.dropped_event.context_key is 'How the play came about; 0 for what is no play.';
comment on column audit.dropped_event.date_key is 'The listener''s own day.';
comment on column audit.dropped_event.utc_date_key is 'The day in UTC.';
comment on column audit.dropped_event.ms_played is 'How long sound was heard, ms; NULL where the source does not say, and for what is no play.';
comment on column audit.dropped_event.input_key is 'The input that brought it.';
comment on column audit.dropped_event.local_hour is 'Hour of local_time, 0 to 23.';
comment on column audit.dropped_event.is_skipped is 'Whether the row tells of a skip: a SKIP of a feed, or a play that its export calls skipped.';
comment on column audit.dropped_event.is_home_time is 'Whether local_time is that of the user''s home, because the event names no timezone.';
comment on column audit.dropped_event.activity_type is 'PLAY, PAUSE, SKIP, LIKE or FOLLOW.';
comment on column audit.dropped_event.device_type is 'MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL where the source does not say or it is another.';
comment on column audit.dropped_event.country is 'Country where the user was, ISO 3166-1 alpha-2.';
comment on column audit.dropped_event.continent is 'Continent of that country.';
comment on column audit.dropped_event.source is 'Where the event comes from: feed, extended_export, recently_played, basic_export, saved_tracks, followed_artists.';
