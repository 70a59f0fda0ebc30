create table audit.rejected_row (
    input_id text collate "C" not null,
    row_number bigint not null,
    run_id text collate "C" not null,
    reason text not null,
    row json not null,
    constraint rejected_row_pkey primary key (input_id, row_number),
    constraint rejected_row_run_id_fkey foreign key (run_id) references audit.run on delete cascade
);

create index rejected_row_run_id_idx on audit.rejected_row (run_id);

comment on table audit.rejected_row is 'A rejected row of an input.';
comment on column audit.rejected_row.input_id is 'The input.';
comment on column audit.rejected_row.row_number is 'Number of the data record in the input, counted from 1.';
comment on column audit.rejected_row.run_id is 'The run that first rejected it for this reason.';
comment on column audit.rejected_row.reason is 'The reason for the rejection.';
comment on column audit.rejected_row.row is 'The row as received: an object, or an array if it does not fit the header.';
