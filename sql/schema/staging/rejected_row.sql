create unlogged table staging.rejected_row (
    input_id text collate "C",
    row_number bigint,
    reason text,
    row text
);

comment on table staging.rejected_row is 'Rejected rows, on their way to audit.rejected_row.';
comment on column staging.rejected_row.input_id is 'The input.';
comment on column staging.rejected_row.row_number is 'Number of the data record in the input, counted from 1.';
comment on column staging.rejected_row.reason is 'The reason for the rejection.';
comment on column staging.rejected_row.row is 'The row as received: an object, or an array if it does not fit the header.';
