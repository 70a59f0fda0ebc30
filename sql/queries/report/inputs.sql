-- The latest row counts of each published input: rows in = loaded + duplicate + rejected.
select name, source, rows_in, rows_loaded, rows_duplicate, rows_rejected
from (
    select distinct on (row_count.input_id, row_count.step)
        run_input.name,
        row_count.source,
        row_count.rows_in,
        row_count.rows_loaded,
        row_count.rows_duplicate,
        row_count.rows_rejected
    from audit.row_count
    join audit.run using (run_id)
    join audit.run_input using (run_id, input_id)
    order by row_count.input_id, row_count.step, run.finished_at desc
) as latest
order by name, source;
