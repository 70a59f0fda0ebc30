create table audit.input (
    input_key integer not null,
    input_id text collate "C" not null,
    constraint input_pkey primary key (input_key),
    constraint input_input_id_key unique (input_id)
);

comment on table audit.input is 'An input by a small number, for the events that it brought.';
comment on column audit.input.input_key is 'The number.';
comment on column audit.input.input_id is 'The input, by a hash of its bytes.';
