-- An open gap is closed by one input with plays on both sides of it. An export is one input, whatever its number of
-- files; two inputs may have years between them. An input may report more events than it adds: for this load,
-- staging.arrival has the first and the last of all its events, including those that the star had already.
with span as (
    select s.input_key, min(s.first_event_time) as first_time, max(s.last_event_time) as last_time
    from (
        select input_key, first_event_time, last_event_time
        from staging.arrival
        where source in ('extended_export', 'basic_export')
        union all
        select i.input_key, a.first_event_time, a.last_event_time
        from audit.arrival as a
        inner join audit.input as i on i.input_id = a.input_id
        where a.source in ('extended_export', 'basic_export')
    ) as s
    group by s.input_key
),

told as not materialized (
    select user_key, event_time, source from warehouse.fact_event
    union all
    select user_key, event_time, source from warehouse.fact_spoken_event
    union all
    select user_key, event_time, source from audit.dropped_event
    union all
    select user_key, event_time, source from staging.fact_event
    union all
    select user_key, event_time, source from staging.fact_spoken_event
)

-- The range of an export is from its first to its last event, from whichever input they are. Each is one lookup in an
-- index.
update audit.gap as t
set closed_at = clock_timestamp()
where t.closed_at is null
    and exists (
        select
        from span as s
        cross join lateral (
            select
            from warehouse.dim_user as u
            inner join told as e on e.user_key = u.user_key and e.event_time = s.first_time
            where u.user_id = t.user_id and e.source in ('extended_export', 'basic_export')
            limit 1
        ) as first_one
        cross join lateral (
            select
            from warehouse.dim_user as u
            inner join told as e on e.user_key = u.user_key and e.event_time = s.last_time
            where u.user_id = t.user_id and e.source in ('extended_export', 'basic_export')
            limit 1
        ) as last_one
        where s.first_time <= t.gap_from and s.last_time >= t.gap_to
    );
