create unlogged table staging.reconciliation (
    from_id text collate "C",
    to_id text collate "C",
    method text,
    score double precision,
    source text
);
