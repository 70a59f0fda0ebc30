create unlogged table staging.arrival (
    table_name text collate "C",
    input_key integer,
    source text,
    utc_date_key integer,
    row_count bigint,
    first_event_time timestamptz,
    last_event_time timestamptz
);

comment on table staging.arrival is 'Numbers of staged and removed events: their sum is the number of rows in staging.';
comment on column staging.arrival.table_name is 'The fact table.';
comment on column staging.arrival.input_key is 'The input.';
comment on column staging.arrival.source is 'Where the events come from, as warehouse.fact_event has it.';
comment on column staging.arrival.utc_date_key is 'The day in UTC.';
comment on column staging.arrival.row_count is 'Events staged; negative: removed again, because another row reports them.';
comment on column staging.arrival.first_event_time is 'The first of them; NULL of removed ones.';
comment on column staging.arrival.last_event_time is 'The last of them; NULL of removed ones.';
