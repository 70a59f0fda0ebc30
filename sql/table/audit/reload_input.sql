create table audit.reload_input (
    input_id text collate "C" not null,
    constraint reload_input_pkey primary key (input_id)
);

comment on table audit.reload_input is 'Inputs that the next load of events loads again, because the rules for their records have changed; what they brought before is replaced in the same transaction.';
comment on column audit.reload_input.input_id is 'The input.';

-- Rules for plays of account exports changed with this revision.
insert into audit.reload_input (input_id)
select distinct i.input_id
from audit.run_input as i
inner join audit.run as r on r.run_id = i.run_id
where r.job = 'load_events' and r.result = 'published' and i.format in ('extended_export', 'basic_export');
