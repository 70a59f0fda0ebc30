create unlogged table staging.refresh_state (
    kind text,
    id text collate "C",
    asked_at timestamptz,
    is_found boolean
);

comment on table staging.refresh_state is 'Requests of API resources, on its way to audit.refresh_state.';
comment on column staging.refresh_state.kind is 'The kind of resource: track, artist or audio_features (of a track) of Spotify; else the provider of audio features.';
comment on column staging.refresh_state.id is 'The id of the track or artist.';
comment on column staging.refresh_state.asked_at is 'Time of the last request.';
comment on column staging.refresh_state.is_found is 'Whether the response had usable audio features; NULL for tracks and artists.';
