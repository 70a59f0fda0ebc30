insert into audit.row_count (run_id, step, input_id, source, rows_in, rows_loaded, rows_duplicate, rows_rejected)
select
    i.run_id,
    'load_events',
    i.input_id,
    i.format,
    i.row_count,
    coalesce(c.rows_accepted - c.rows_repeated, 0),
    coalesce(c.rows_repeated, 0),
    coalesce(r.row_count, 0)
from staging.load as l
inner join audit.run_input as i on i.run_id = l.run_id
left join (
    select input_id, sum(rows_accepted) as rows_accepted, sum(rows_repeated) as rows_repeated
    from staging.event_count
    group by input_id
) as c on c.input_id = i.input_id
left join (
    select input_id, count(*) as row_count from staging.rejected_row group by input_id
) as r on r.input_id = i.input_id;
