create table simulation.dirt (
    input_id text collate "C" not null,
    kind text not null,
    row_count bigint not null,
    constraint dirt_pkey primary key (input_id, kind),
    constraint dirt_kind_known check (kind in ('duplicate', 'late', 'disorder', 'unknown_track', 'broken')),
    constraint dirt_row_count_not_negative check (row_count >= 0)
);

comment on table simulation.dirt is 'How many records of a made-up feed are wrong on purpose.';
comment on column simulation.dirt.input_id is 'The input of the lake.';
comment on column simulation.dirt.kind is 'duplicate: the same record again; late: in the last file; disorder: after later records; unknown_track: a track that no catalogue holds; broken: no user, an end before the start, or a negative duration.';
comment on column simulation.dirt.row_count is 'Number of such records; a duplicate counts once, without the record that it repeats.';
