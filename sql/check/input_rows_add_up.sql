-- The rows of an input do not add up: received rows differ from the sum of accepted and rejected ones.
select
    coalesce(i.input_id, c.input_id) as input_id,
    i.name,
    i.row_count as rows_in,
    coalesce(c.accepted, 0) as rows_accepted,
    coalesce(c.refused, 0) as rows_refused
from (
    select i.* from audit.run_input as i inner join staging.load as l on l.run_id = i.run_id
) as i
full join (
    select input_id, sum(accepted) as accepted, sum(refused) as refused
    from (
        select input_id, row_count as accepted, 0 as refused from staging.input_key
        union all
        select input_id, 0, 1 from staging.rejected_row
    ) as counted
    group by input_id
) as c on c.input_id = i.input_id
where i.row_count is distinct from c.accepted + c.refused
    and not (i.row_count = 0 and c.input_id is null)
    and not exists (select from staging.retained_input as t where t.input_id = i.input_id)
