insert into audit.input (input_key, input_id)
select
    (select coalesce(max(input_key), 0) from audit.input) + row_number() over (order by i.input_id),
    i.input_id
from audit.run_input as i
inner join staging.load as l on l.run_id = i.run_id
where not exists (select from audit.input as t where t.input_id = i.input_id)
order by i.input_id;
