create table warehouse.track_alias (
    alias_kind text not null,
    alias_value text collate "C" not null,
    track_key integer not null,
    method text not null,
    score double precision not null,
    constraint track_alias_pkey primary key (alias_kind, alias_value, track_key),
    constraint track_alias_track_key_fkey foreign key (track_key) references warehouse.dim_track,
    constraint track_alias_kind_known check (alias_kind in ('spotify_id', 'linked_id', 'isrc', 'name')),
    constraint track_alias_score_in_range check (score between 0 and 1)
);

-- An ISRC may belong to several tracks; every other alias means one.
create unique index track_alias_resolves_to_one on warehouse.track_alias (alias_kind, alias_value)
    where alias_kind <> 'isrc';

create index track_alias_track_key_idx on warehouse.track_alias (track_key);

comment on table warehouse.track_alias is 'Other ids and names of a track: the only table by which a load resolves them.';
comment on column warehouse.track_alias.alias_kind is 'What the alias is: spotify_id, linked_id, isrc or name (a name-derived id).';
comment on column warehouse.track_alias.alias_value is 'The id, code or name-derived id.';
comment on column warehouse.track_alias.track_key is 'The track that it means.';
comment on column warehouse.track_alias.method is 'How the alias was found.';
comment on column warehouse.track_alias.score is 'How sure the match is, 0 to 1.';
