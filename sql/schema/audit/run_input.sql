create table audit.run_input (
    run_id text collate "C" not null,
    input_id text collate "C" not null,
    origin text not null,
    name text not null,
    format text not null,
    row_count bigint not null,
    encoding text,
    remarks text[] not null default '{}',
    constraint run_input_pkey primary key (run_id, input_id),
    constraint run_input_run_id_fkey foreign key (run_id) references audit.run on delete cascade,
    constraint run_input_row_count_not_negative check (row_count >= 0)
);

create index run_input_input_id_idx on audit.run_input (input_id);

comment on table audit.run_input is 'An input that a run took from the lake.';
comment on column audit.run_input.run_id is 'The run.';
comment on column audit.run_input.input_id is 'The input, by a hash of its bytes.';
comment on column audit.run_input.origin is 'How it was received: kaggle, made_up, api, audio_features.';
comment on column audit.run_input.name is 'Its file name.';
comment on column audit.run_input.format is 'Its format, which is the source of its rows.';
comment on column audit.run_input.row_count is 'Number of data records, counted when the input was received.';
comment on column audit.run_input.encoding is 'Encoding in which the text of a table was read.';
comment on column audit.run_input.remarks is 'What was guessed of how it is read, or left out of it, in sentences.';
