-- Partitions of staged events become partitions of the star: they have its columns, and indexes only once they are
-- filled.
create table staging.fact_event (like warehouse.fact_event including constraints) partition by range (event_time);

comment on table staging.fact_event is 'Events with their keys, in partitions that become those of warehouse.fact_event.';
comment on column staging.fact_event.event_id is 'The event, by what it is within its source: begins with event_time in ms, then a hash; sorted by it is sorted by time.';
comment on column staging.fact_event.event_time is 'When it happened, UTC; of a play its start.';
comment on column staging.fact_event.started_at is 'When the play began, where the source says so or it follows from the end.';
comment on column staging.fact_event.ended_at is 'When the play ended.';
comment on column staging.fact_event.local_time is 'event_time on the listener''s clock: in the timezone that the event names, else in the user''s at that time, else UTC.';
comment on column staging.fact_event.user_key is 'The version of the user that held at that time.';
comment on column staging.fact_event.track_key is 'The track; 0 where the event is about none, as a FOLLOW.';
comment on column staging.fact_event.artist_key is 'The artist that the event names, else the track''s first; 0 where it is about none.';
comment on column staging.fact_event.playlist_key is 'The playlist that was played from or added to; 0 where none is named.';
comment on column staging.fact_event.context_key is 'How the play came about; 0 for what is no play.';
comment on column staging.fact_event.date_key is 'The listener''s own day.';
comment on column staging.fact_event.utc_date_key is 'The day in UTC.';
comment on column staging.fact_event.ms_played is 'How long sound was heard, ms; NULL where the source does not say, and for what is no play.';
comment on column staging.fact_event.input_key is 'The input that brought it.';
comment on column staging.fact_event.local_hour is 'Hour of local_time, 0 to 23.';
comment on column staging.fact_event.is_skipped is 'Whether the row tells of a skip: a SKIP of a feed, or a play that its export calls skipped.';
comment on column staging.fact_event.is_home_time is 'Whether local_time is that of the user''s home, because the event names no timezone.';
comment on column staging.fact_event.activity_type is 'PLAY, PAUSE, SKIP, LIKE or FOLLOW.';
comment on column staging.fact_event.device_type is 'MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL where the source does not say or it is another.';
comment on column staging.fact_event.country is 'Country where the user was, ISO 3166-1 alpha-2.';
comment on column staging.fact_event.continent is 'Continent of that country.';
comment on column staging.fact_event.source is 'Where the event comes from: feed, extended_export, recently_played, basic_export, saved_tracks, followed_artists.';
