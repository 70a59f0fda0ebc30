create unlogged table staging.input_key (
    input_id text collate "C",
    key_kind text,
    key text collate "C",
    row_count bigint
);
