select t.input_id, t.input_key
from audit.input as t
where t.input_id in (select i.input_id from audit.run_input as i inner join staging.load as l on l.run_id = i.run_id)
