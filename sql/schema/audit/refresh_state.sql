create table audit.refresh_state (
    kind text not null,
    id text collate "C" not null,
    asked_at timestamptz not null,
    constraint refresh_state_pkey primary key (kind, id),
    constraint refresh_state_kind_known check (kind in ('track', 'artist', 'audio_features'))
);

comment on table audit.refresh_state is 'When a resource of the API was last requested by its id, whether the API had it or not.';
comment on column audit.refresh_state.kind is 'The kind of resource: track, artist or audio_features (of a track).';
comment on column audit.refresh_state.id is 'The id of the track or artist.';
comment on column audit.refresh_state.asked_at is 'Time of the last request.';
