-- Called for each change of the star's events under the name of their table. Loads that fill a partition by its own
-- name queue the changed days themselves: merge/changed_day.sql.
create function audit.queue_changed_days() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    insert into audit.changed_day (listener_key, local_date)
    select distinct l.listener_key, e.local_time::date
    from changed as e
    inner join warehouse.dim_user as u on u.user_key = e.user_key
    inner join mart.listener as l on l.user_id = u.user_id
    where e.activity_type in ('PLAY', 'PAUSE', 'SKIP')
    on conflict do nothing;
    return null;
end
$$;
