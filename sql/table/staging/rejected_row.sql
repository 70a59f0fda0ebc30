create unlogged table staging.rejected_row (
    input_id text collate "C",
    row_number bigint,
    reason text,
    row text
);
