create table audit.reload_input (
    input_id text collate "C" not null,
    constraint reload_input_pkey primary key (input_id)
);

comment on table audit.reload_input is 'Inputs that the next load of events loads again, because the rules for their records have changed; their earlier events are replaced in the same transaction.';
comment on column audit.reload_input.input_id is 'The input.';
