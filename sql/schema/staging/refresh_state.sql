create unlogged table staging.refresh_state (
    kind text,
    id text collate "C",
    asked_at timestamptz
);

comment on table staging.refresh_state is 'Requests of API resources, on its way to audit.refresh_state.';
comment on column staging.refresh_state.kind is 'The kind of resource: track, artist or audio_features (of a track).';
comment on column staging.refresh_state.id is 'The id of the track or artist.';
comment on column staging.refresh_state.asked_at is 'Time of the last request.';
