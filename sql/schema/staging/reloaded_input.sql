create view staging.reloaded_input as
select i.input_key, i.input_id
from staging.load as l
inner join audit.run_input as r on r.run_id = l.run_id
inner join audit.reload_input as f on f.input_id = r.input_id
inner join audit.input as i on i.input_id = r.input_id;

comment on view staging.reloaded_input is 'Inputs of the load in progress that it loads again: their events in the star are replaced.';
comment on column staging.reloaded_input.input_key is 'The input, as events have it.';
comment on column staging.reloaded_input.input_id is 'Its id.';
