-- The rows of an input are not all accounted for: what came in is not what was staged, told twice and refused.
with staged as (
    select i.input_id, count(*) as row_count
    from (
        select input_key from staging.fact_event
        union all
        select input_key from staging.fact_spoken_event
    ) as e
    inner join audit.input as i on i.input_key = e.input_key
    group by i.input_id
)

select
    i.input_id,
    i.name,
    i.row_count as rows_in,
    coalesce(s.row_count, 0) as rows_staged,
    coalesce(c.rows_accepted, 0) as rows_accepted,
    coalesce(c.rows_repeated, 0) as rows_repeated,
    coalesce(r.row_count, 0) as rows_refused
from audit.run_input as i
inner join staging.load as l on l.run_id = i.run_id
left join staged as s on s.input_id = i.input_id
left join (
    select input_id, sum(rows_accepted) as rows_accepted, sum(rows_repeated) as rows_repeated
    from staging.event_count
    group by input_id
) as c on c.input_id = i.input_id
left join (
    select input_id, count(*) as row_count from staging.rejected_row group by input_id
) as r on r.input_id = i.input_id
where i.row_count <> coalesce(c.rows_accepted, 0) + coalesce(r.row_count, 0)
    or i.format <> 'user'
    and coalesce(c.rows_accepted, 0) <> coalesce(s.row_count, 0) + coalesce(c.rows_repeated, 0)
