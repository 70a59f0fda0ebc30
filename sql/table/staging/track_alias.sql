create unlogged table staging.track_alias (
    alias_kind text,
    alias_value text collate "C",
    track_id text collate "C",
    method text,
    score double precision
);
