create unlogged table staging.track_alias (
    alias_kind text,
    alias_value text collate "C",
    track_id text collate "C",
    method text,
    score double precision
);

comment on table staging.track_alias is 'Aliases, on their way to warehouse.track_alias.';
comment on column staging.track_alias.alias_kind is 'What the alias is: spotify_id, linked_id, isrc or name (a name-derived id).';
comment on column staging.track_alias.alias_value is 'The id, code or name-derived id.';
comment on column staging.track_alias.track_id is 'The track that the alias means.';
comment on column staging.track_alias.method is 'How the alias was found.';
comment on column staging.track_alias.score is 'How sure the match is, 0 to 1.';
