-- An open gap closes where exports tell of the listener's plays on both sides of it: plays that this load adds, and those
-- that were dropped because another source tells of them too, included.
with told as not materialized (
    select user_key, event_time from warehouse.fact_event where source in ('extended_export', 'basic_export')
    union all
    select user_key, event_time from staging.fact_event where source in ('extended_export', 'basic_export')
    union all
    select user_key, event_time from audit.dropped_event where source in ('extended_export', 'basic_export')
)

update audit.gap as t
set closed_at = clock_timestamp()
where t.closed_at is null
    and exists (
        select
        from warehouse.dim_user as u
        inner join told as e on e.user_key = u.user_key
        where u.user_id = t.user_id and e.event_time <= t.gap_from
    )
    and exists (
        select
        from warehouse.dim_user as u
        inner join told as e on e.user_key = u.user_key
        where u.user_id = t.user_id and e.event_time >= t.gap_to
    );
