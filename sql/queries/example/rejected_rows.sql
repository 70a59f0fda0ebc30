-- How many rows of every file were loaded, duplicate or rejected, and why were rows rejected?
select
    input.name as file,
    counts.rows_in,
    counts.rows_loaded,
    counts.rows_duplicate,
    counts.rows_rejected,
    (
        select
            string_agg(refused.reason || ' (' || refused.times || ')', '; ' order by refused.times desc, refused.reason)
        from (
            select reason, count(*) as times
            from audit.rejected_row
            where input_id = counts.input_id
            group by reason
        ) as refused
    ) as reasons
from audit.row_count as counts
join audit.run_input as input using (run_id, input_id)
join (
    select input_id, max(finished_at) as finished_at
    from audit.run join audit.row_count using (run_id)
    group by input_id
) as last on last.input_id = counts.input_id
join audit.run on run.run_id = counts.run_id and run.finished_at = last.finished_at
order by input.name, counts.input_id;
