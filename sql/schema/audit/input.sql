create table audit.input (
    input_key integer not null,
    input_id text collate "C" not null,
    constraint input_pkey primary key (input_key),
    constraint input_input_id_key unique (input_id)
);

comment on table audit.input is 'The small integer key of an input, for its events.';
comment on column audit.input.input_key is 'The number.';
comment on column audit.input.input_id is 'The input, by a hash of its bytes.';
