insert into audit.row_count (run_id, step, input_id, source, rows_in, rows_loaded, rows_duplicate, rows_rejected)
select
    i.run_id,
    'load_catalogue',
    i.input_id,
    i.format,
    i.row_count,
    coalesce(t.rows_loaded, k.key_count, 0),
    coalesce(t.rows_duplicate, k.row_count - k.key_count, 0),
    coalesce(t.rows_rejected, r.row_count, 0)
from staging.load as l
inner join audit.run_input as i on i.run_id = l.run_id
left join (
    select input_id, count(*) as key_count, sum(row_count) as row_count from staging.input_key group by input_id
) as k on k.input_id = i.input_id
left join (
    select input_id, count(*) as row_count from staging.rejected_row group by input_id
) as r on r.input_id = i.input_id
left join staging.retained_input as t on t.input_id = i.input_id;
