create unlogged table staging.dirt (
    input_id text collate "C",
    kind text,
    row_count bigint
);

comment on table staging.dirt is 'What is wrong on purpose in a made-up feed, on its way to simulation.dirt.';
comment on column staging.dirt.input_id is 'The input of the lake.';
comment on column staging.dirt.kind is 'duplicate: the same record again; late: in the last file; disorder: after later records; unknown_track: a track that no catalogue holds; broken: no user, an end before the start, or a negative duration.';
comment on column staging.dirt.row_count is 'Number of such records; a duplicate counts once, without the record that it repeats.';
