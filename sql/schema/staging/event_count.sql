create unlogged table staging.event_count (
    input_id text collate "C",
    rows_accepted bigint,
    rows_repeated bigint
);

comment on table staging.event_count is 'What became of the rows of each input before they were staged.';
comment on column staging.event_count.input_id is 'The input.';
comment on column staging.event_count.rows_accepted is 'Rows that were not rejected.';
comment on column staging.event_count.rows_repeated is 'Rows among them that repeat an event of this load.';
