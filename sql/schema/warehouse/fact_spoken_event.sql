create table warehouse.fact_spoken_event (
    event_id uuid not null,
    event_time timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    local_time timestamp not null,
    user_key integer not null,
    context_key integer not null,
    date_key integer not null,
    utc_date_key integer not null,
    ms_played integer,
    input_key integer not null,
    local_hour smallint not null,
    is_skipped boolean not null,
    is_home_time boolean not null,
    spoken_id text collate "C" not null,
    spoken_name text,
    show_name text,
    activity_type text not null,
    device_type text,
    country text,
    continent text,
    source text not null,
    constraint fact_spoken_event_pkey primary key (event_id, event_time),
    constraint fact_spoken_event_activity_known check (activity_type in ('PLAY', 'PAUSE', 'SKIP', 'LIKE', 'FOLLOW')),
    constraint fact_spoken_event_ms_played_not_negative check (ms_played >= 0)
) partition by range (event_time);

-- Keys have no foreign keys: attaching a partition that has some would block all readers of the dimensions. The load
-- takes keys only from the dimensions, while no other session may change them.
create index fact_spoken_event_user_key_idx on warehouse.fact_spoken_event (user_key, event_time);
create index fact_spoken_event_event_time_idx on warehouse.fact_spoken_event using brin (event_time);

comment on table warehouse.fact_spoken_event is 'An event about a podcast episode or a chapter of an audiobook, partitioned by month.';
comment on column warehouse.fact_spoken_event.event_id is 'The event id: event_time in ms, then a hash of what identifies the event within its source; its order is that of time.';
comment on column warehouse.fact_spoken_event.event_time is 'When it happened, UTC; of a play its start.';
comment on column warehouse.fact_spoken_event.started_at is 'When the play began, if the source gives it or it follows from the end; else NULL.';
comment on column warehouse.fact_spoken_event.ended_at is 'When the play ended.';
comment on column warehouse.fact_spoken_event.local_time is 'event_time on the listener''s clock: in the timezone that the event names, else in the user''s at that time, else UTC.';
comment on column warehouse.fact_spoken_event.user_key is 'The version of the user that was valid at that time.';
comment on column warehouse.fact_spoken_event.context_key is 'The listening context; 0 for events that are not plays.';
comment on column warehouse.fact_spoken_event.date_key is 'The listener''s own day.';
comment on column warehouse.fact_spoken_event.utc_date_key is 'The day in UTC.';
comment on column warehouse.fact_spoken_event.ms_played is 'Time for which sound was heard, ms; NULL if the source does not give it, and for events that are not plays.';
comment on column warehouse.fact_spoken_event.input_key is 'The input that contained the event.';
comment on column warehouse.fact_spoken_event.local_hour is 'Hour of local_time, 0 to 23.';
comment on column warehouse.fact_spoken_event.is_skipped is 'Whether the row is a skip: a SKIP of a feed, or a play that its export marks as skipped.';
comment on column warehouse.fact_spoken_event.is_home_time is 'Whether local_time is that of the user''s home, because the event names no timezone.';
comment on column warehouse.fact_spoken_event.spoken_id is 'The episode or chapter, by its Spotify URI or a name-derived id.';
comment on column warehouse.fact_spoken_event.spoken_name is 'Its name.';
comment on column warehouse.fact_spoken_event.show_name is 'The podcast or audiobook.';
comment on column warehouse.fact_spoken_event.activity_type is 'PLAY, PAUSE, SKIP, LIKE or FOLLOW.';
comment on column warehouse.fact_spoken_event.device_type is 'MOBILE, DESKTOP, TABLET or SMART_SPEAKER; NULL if the source does not give it or it is another kind.';
comment on column warehouse.fact_spoken_event.country is 'Country where the user was, ISO 3166-1 alpha-2.';
comment on column warehouse.fact_spoken_event.continent is 'Continent of that country.';
comment on column warehouse.fact_spoken_event.source is 'Where the event comes from: feed, extended_export, recently_played, basic_export, library_export, apple_music_export, listenbrainz_export, lastfm_export, youtube_music_export, saved_tracks, followed_artists.';
