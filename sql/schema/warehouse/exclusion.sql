create table warehouse.exclusion (
    kind text not null,
    id text collate "C" not null,
    reason text,
    excluded_at timestamptz not null default now(),
    constraint exclusion_pkey primary key (kind, id),
    constraint exclusion_kind_known check (kind in ('user', 'artist', 'track'))
);

comment on table warehouse.exclusion is 'Users, artists and tracks that no mart counts; the facts still have them. Written by hand; applied by the next build of the marts.';
comment on column warehouse.exclusion.kind is 'user, artist or track.';
comment on column warehouse.exclusion.id is 'user_id, artist_id or track_id; a track means its recording.';
comment on column warehouse.exclusion.reason is 'Why, in words.';
comment on column warehouse.exclusion.excluded_at is 'Since when.';
