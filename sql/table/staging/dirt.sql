create unlogged table staging.dirt (
    input_id text collate "C",
    kind text,
    row_count bigint
);

comment on table staging.dirt is 'What is wrong on purpose in a made-up feed, on its way to simulation.dirt.';
