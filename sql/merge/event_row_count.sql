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

-- Staged are by now the events that are new. Late is what happened on an earlier day than the newest event of its source
-- that an earlier run told of.
create temporary table arrived on commit drop as
select
    e.input_key,
    e.source,
    e.utc_date_key,
    count(*) as row_count,
    min(e.event_time) as first_event_time,
    max(e.event_time) as last_event_time
from (
    select input_key, source, utc_date_key, event_time from staging.fact_event
    union all
    select input_key, source, utc_date_key, event_time from staging.fact_spoken_event
) as e
group by e.input_key, e.source, e.utc_date_key;

insert into audit.arrival (
    run_id, input_id, source, rows_added, rows_late, first_event_time, last_event_time, known_until
)
select
    l.run_id,
    i.input_id,
    a.source,
    sum(a.row_count),
    coalesce(
        sum(a.row_count) filter (
            where a.utc_date_key < to_char(k.known_until at time zone 'UTC', 'yyyymmdd')::integer
        ),
        0
    ),
    min(a.first_event_time),
    max(a.last_event_time),
    k.known_until
from arrived as a
cross join staging.load as l
inner join audit.input as i on i.input_key = a.input_key
left join lateral (
    select t.last_event_time as known_until
    from audit.arrival as t
    where t.source = a.source
    order by t.last_event_time desc
    limit 1
) as k on true
group by l.run_id, i.input_id, a.source, k.known_until;
