-- An open gap closes where exports tell of the listener's plays on both sides of it, those that this load adds included.
update audit.gap as t
set closed_at = clock_timestamp()
where t.closed_at is null
    and exists (
        select 1
        from warehouse.dim_user as u
        inner join warehouse.fact_event as e on e.user_key = u.user_key and e.event_time <= t.gap_from
        where u.user_id = t.user_id and e.source in ('extended_export', 'basic_export')
        union all
        select 1
        from warehouse.dim_user as u
        inner join staging.fact_event as e on e.user_key = u.user_key and e.event_time <= t.gap_from
        where u.user_id = t.user_id and e.source in ('extended_export', 'basic_export')
    )
    and exists (
        select 1
        from warehouse.dim_user as u
        inner join warehouse.fact_event as e on e.user_key = u.user_key and e.event_time >= t.gap_to
        where u.user_id = t.user_id and e.source in ('extended_export', 'basic_export')
        union all
        select 1
        from warehouse.dim_user as u
        inner join staging.fact_event as e on e.user_key = u.user_key and e.event_time >= t.gap_to
        where u.user_id = t.user_id and e.source in ('extended_export', 'basic_export')
    );
