create unlogged table staging.injected_error (
    input_id text collate "C",
    kind text,
    row_count bigint
);

comment on table staging.injected_error is 'Injected errors of a simulated feed, on its way to simulation.injected_error.';
comment on column staging.injected_error.input_id is 'The input of the lake.';
comment on column staging.injected_error.kind is 'duplicate: the same record again; late: in the last file; disorder: after later records; unknown_track: a track that no catalogue has; broken: no user, an end before the start, or a negative duration.';
comment on column staging.injected_error.row_count is 'Number of such records; a duplicate counts once, without the record that it repeats.';
