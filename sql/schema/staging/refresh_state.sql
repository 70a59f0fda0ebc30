create unlogged table staging.refresh_state (
    kind text,
    id text collate "C",
    asked_at timestamptz
);

comment on table staging.refresh_state is 'What the API was asked for, on its way to audit.refresh_state.';
comment on column staging.refresh_state.kind is 'What was asked for: track, artist or audio_features (of a track).';
comment on column staging.refresh_state.id is 'The id of the track or artist.';
comment on column staging.refresh_state.asked_at is 'When it was last asked for.';
