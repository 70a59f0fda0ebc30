insert into audit.row_count (run_id, step, input_id, source, rows_in, rows_loaded, rows_duplicate, rows_rejected)
select
    i.run_id,
    'load_events',
    i.input_id,
    i.format,
    i.row_count,
    coalesce(c.rows_accepted - c.rows_repeated, 0) - coalesce(a.rows_removed, 0),
    coalesce(c.rows_repeated, 0) + coalesce(a.rows_removed, 0),
    coalesce(r.row_count, 0)
from staging.load as l
inner join audit.run_input as i on i.run_id = l.run_id
left join (
    select input_id, sum(rows_accepted) as rows_accepted, sum(rows_repeated) as rows_repeated
    from staging.event_count
    group by input_id
) as c on c.input_id = i.input_id
left join (
    select i.input_id, -sum(a.row_count) as rows_removed
    from staging.arrival as a
    inner join audit.input as i on i.input_key = a.input_key
    where a.row_count < 0
    group by i.input_id
) as a on a.input_id = i.input_id
left join (
    select input_id, count(*) as row_count from staging.rejected_row group by input_id
) as r on r.input_id = i.input_id;

-- An event is late if it is of an earlier day than the newest event of its source from an earlier run. The first and
-- the last time are those of the inputs' events on the days with changes. A few late events of a day, or a few that
-- come after a missing delivery, do not make the days up to the next ones covered.
insert into audit.arrival (
    run_id, input_id, source, rows_added, rows_late, first_event_time, last_event_time, known_until, covered_days
)
select
    l.run_id,
    i.input_id,
    a.source,
    sum(a.row_count),
    coalesce(sum(a.row_count) filter (where d.is_late), 0),
    min(a.first_event_time),
    max(a.last_event_time),
    k.known_until,
    coalesce(
        datemultirange(range_merge(range_agg(d.days) filter (where d.has_most and not d.is_late))),
        cast('{}' as datemultirange)
    )
    + coalesce(range_agg(d.days) filter (where d.has_most and d.is_late), cast('{}' as datemultirange))
from (
    select
        input_key,
        source,
        utc_date_key,
        sum(row_count) as row_count,
        max(sum(row_count)) over (partition by input_key, source) as busiest_row_count,
        min(first_event_time) as first_event_time,
        max(last_event_time) as last_event_time
    from staging.arrival
    group by input_key, source, utc_date_key
    having sum(row_count) > 0
) as a
cross join staging.load as l
inner join audit.input as i on i.input_key = a.input_key
left join lateral (
    select t.last_event_time as known_until
    from audit.arrival as t
    where t.source = a.source
    order by t.last_event_time desc
    limit 1
) as k on true
cross join lateral (
    select
        daterange(w.utc_date, w.utc_date, '[]') as days,
        20 * a.row_count >= a.busiest_row_count as has_most,
        coalesce(w.utc_date < cast(k.known_until at time zone 'UTC' as date), false) as is_late
    from (select to_date(cast(a.utc_date_key as text), 'yyyymmdd') as utc_date) as w
) as d
group by l.run_id, i.input_id, a.source, k.known_until;
