create unlogged table staging.input_key (
    input_id text collate "C",
    key_kind text,
    key text collate "C",
    row_count bigint
);

comment on table staging.input_key is 'Number of accepted rows of an input by key, from which audit.row_count is computed.';
comment on column staging.input_key.input_id is 'The input.';
comment on column staging.input_key.key_kind is 'What the key is of: track, provider_features (of a track), artist, playlist, user or survey_response.';
comment on column staging.input_key.key is 'The key; a track''s may be an alias of it.';
comment on column staging.input_key.row_count is 'Number of accepted rows.';
