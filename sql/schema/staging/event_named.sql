-- The names in staged events: one scan finds them all, in five sets, each of which fills its own columns. Then the
-- dimension members among them, each once, with what is known about them; and the row counts of the inputs.
create unlogged table staging.event_named (
    name_set text collate "C",
    source text collate "C",
    user_id text collate "C",
    track_id text collate "C",
    track_name text collate "C",
    artist_id text collate "C",
    artist_name text collate "C",
    made_track text collate "C",
    made_artist text collate "C",
    playlist_id text collate "C",
    platform text,
    reason_start text,
    reason_end text,
    is_shuffle boolean,
    is_offline boolean,
    is_incognito boolean,
    subscription_plan text,
    input_id text collate "C",
    is_spoken boolean,
    first_day date,
    row_count bigint
);

comment on table staging.event_named is 'What staged events name, in five sets; a set has values in its own columns only.';
comment on column staging.event_named.name_set is 'users: source and user_id. things: source, and track and artist as given. playlists: source and playlist_id. contexts: listening contexts. months: input, month and whether spoken.';
comment on column staging.event_named.source is 'The source.';
comment on column staging.event_named.user_id is 'The user.';
comment on column staging.event_named.track_id is 'Spotify''s id of the track.';
comment on column staging.event_named.track_name is 'Its title.';
comment on column staging.event_named.artist_id is 'Spotify''s id of the artist.';
comment on column staging.event_named.artist_name is 'The artist''s name.';
comment on column staging.event_named.made_track is 'The name-derived id of title and artist, if the row has a track without an id; else NULL.';
comment on column staging.event_named.made_artist is 'The name-derived id of the artist, if the event has no artist id; else NULL.';
comment on column staging.event_named.playlist_id is 'Spotify''s id of the playlist.';
comment on column staging.event_named.platform is 'Operating system or app.';
comment on column staging.event_named.reason_start is 'Why the play began.';
comment on column staging.event_named.reason_end is 'Why it ended.';
comment on column staging.event_named.is_shuffle is 'Whether shuffle was on.';
comment on column staging.event_named.is_offline is 'Whether the device was offline.';
comment on column staging.event_named.is_incognito is 'Whether the session was private.';
comment on column staging.event_named.subscription_plan is 'The plan at that time.';
comment on column staging.event_named.input_id is 'The input.';
comment on column staging.event_named.is_spoken is 'Whether podcast or audiobook.';
comment on column staging.event_named.first_day is 'First day of a month that has events (UTC).';
comment on column staging.event_named.row_count is 'Number of events.';
