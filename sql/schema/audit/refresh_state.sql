create table audit.refresh_state (
    kind text not null,
    id text collate "C" not null,
    asked_at timestamptz not null,
    is_found boolean,
    constraint refresh_state_pkey primary key (kind, id),
    constraint refresh_state_kind_known check (
        kind in ('track', 'artist', 'audio_features', 'reccobeats', 'mock_reccobeats')
    )
);

comment on table audit.refresh_state is 'When a resource was last requested by its id from Spotify''s API or a provider of audio features.';
comment on column audit.refresh_state.kind is 'The kind of resource: track, artist or audio_features (of a track) of Spotify; else the provider of audio features.';
comment on column audit.refresh_state.id is 'The id of the track or artist.';
comment on column audit.refresh_state.asked_at is 'Time of the last request.';
comment on column audit.refresh_state.is_found is 'Whether the response had usable audio features; NULL for tracks and artists.';
