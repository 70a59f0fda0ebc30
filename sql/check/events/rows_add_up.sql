-- The rows of an input do not add up: received rows differ from the sum of staged, duplicate and rejected ones.
with staged as (
    select
        i.input_id,
        sum(a.row_count) filter (where a.row_count > 0) as rows_staged,
        -sum(a.row_count) filter (where a.row_count < 0) as rows_removed
    from staging.arrival as a
    inner join audit.input as i on i.input_key = a.input_key
    group by i.input_id
)

select
    i.input_id,
    i.name,
    i.row_count as rows_in,
    coalesce(c.rows_accepted, 0) as rows_accepted,
    coalesce(r.row_count, 0) as rows_refused,
    coalesce(s.rows_staged, 0) as rows_staged,
    coalesce(s.rows_removed, 0) as rows_removed
from audit.run_input as i
inner join staging.load as l on l.run_id = i.run_id
left join staged as s on s.input_id = i.input_id
left join (
    select input_id, sum(rows_accepted) as rows_accepted from staging.event_count group by input_id
) as c on c.input_id = i.input_id
left join (
    select input_id, count(*) as row_count from staging.rejected_row group by input_id
) as r on r.input_id = i.input_id
where i.row_count <> coalesce(c.rows_accepted, 0) + coalesce(r.row_count, 0)
    or i.format not in ('user', 'playlist_export')
    and coalesce(c.rows_accepted, 0) <> coalesce(s.rows_staged, 0)
