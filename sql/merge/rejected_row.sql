-- Rows of an input of this run that were rejected once and are valid now.
delete from audit.rejected_row as t
using staging.load as l
inner join audit.run_input as i on i.run_id = l.run_id
where t.input_id = i.input_id
    and 'rejected_row' = any(l.table_names)
    and not exists (select from staging.retained_input as n where n.input_id = t.input_id)
    and not exists (
        select from staging.rejected_row as s where s.input_id = t.input_id and s.row_number = t.row_number
    );

update audit.rejected_row as t
set run_id = l.run_id, reason = s.reason, row = s.row::json
from staging.rejected_row as s
cross join staging.load as l
where t.input_id = s.input_id
    and t.row_number = s.row_number
    and (t.reason, t.row::text) is distinct from (s.reason, s.row);

insert into audit.rejected_row (input_id, row_number, run_id, reason, row)
select s.input_id, s.row_number, l.run_id, s.reason, s.row::json
from staging.rejected_row as s
cross join staging.load as l
where not exists (
    select from audit.rejected_row as t where t.input_id = s.input_id and t.row_number = s.row_number
)
order by s.input_id, s.row_number;
