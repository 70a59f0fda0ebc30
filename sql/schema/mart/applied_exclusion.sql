create table mart.applied_exclusion (
    kind text not null,
    id text collate "C" not null,
    constraint applied_exclusion_pkey primary key (kind, id)
);

comment on table mart.applied_exclusion is 'The exclusions that the marts were built with.';
comment on column mart.applied_exclusion.kind is 'user, artist or track.';
comment on column mart.applied_exclusion.id is 'Its id.';
