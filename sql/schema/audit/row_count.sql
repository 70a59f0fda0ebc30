create table audit.row_count (
    run_id text collate "C" not null,
    step text not null,
    input_id text collate "C" not null,
    source text not null,
    rows_in bigint not null,
    rows_loaded bigint not null,
    rows_duplicate bigint not null,
    rows_rejected bigint not null,
    constraint row_count_pkey primary key (run_id, step, input_id),
    constraint row_count_run_id_fkey foreign key (run_id) references audit.run on delete cascade,
    constraint row_count_adds_up check (rows_in = rows_loaded + rows_duplicate + rows_rejected)
);

comment on table audit.row_count is 'What became of the rows of an input in a step of a run.';
comment on column audit.row_count.run_id is 'The run.';
comment on column audit.row_count.step is 'The step, by the name of its task.';
comment on column audit.row_count.input_id is 'The input.';
comment on column audit.row_count.source is 'The format of the input.';
comment on column audit.row_count.rows_in is 'Rows received.';
comment on column audit.row_count.rows_loaded is 'Rows whose key this input publishes, changed or not.';
comment on column audit.row_count.rows_duplicate is 'Further rows of a key already seen in this input; their values are merged.';
comment on column audit.row_count.rows_rejected is 'Rows rejected, one row each in rejected_row.';
