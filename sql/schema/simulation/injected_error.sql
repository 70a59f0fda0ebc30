create table simulation.injected_error (
    input_id text collate "C" not null,
    kind text not null,
    row_count bigint not null,
    constraint injected_error_pkey primary key (input_id, kind),
    constraint injected_error_kind_known check (kind in ('duplicate', 'late', 'disorder', 'unknown_track', 'broken')),
    constraint injected_error_row_count_not_negative check (row_count >= 0)
);

comment on table simulation.injected_error is 'Injected errors of simulated feeds: number of records by kind.';
comment on column simulation.injected_error.input_id is 'The input of the lake.';
comment on column simulation.injected_error.kind is 'duplicate: the same record again; late: in the last file; disorder: after later records; unknown_track: a track that no catalogue has; broken: no user, an end before the start, or a negative duration.';
comment on column simulation.injected_error.row_count is 'Number of such records; a duplicate counts once, without the record that it repeats.';
