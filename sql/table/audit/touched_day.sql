create table audit.touched_day (
    listener_key integer not null,
    local_date date not null,
    constraint touched_day_pkey primary key (listener_key, local_date)
);

comment on table audit.touched_day is 'Days of users whose events have changed since the marts were built.';
comment on column audit.touched_day.listener_key is 'The user, as mart.listener has it.';
comment on column audit.touched_day.local_date is 'The user''s own day.';

-- Whatever is added to, changed in or removed from the star's events by the name of their table. Loads that fill a
-- partition by its own name say for themselves what they touch: merge/touched_day.sql.
create function audit.touch_day() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    insert into audit.touched_day (listener_key, local_date)
    select distinct l.listener_key, e.local_time::date
    from changed as e
    inner join warehouse.dim_user as u on u.user_key = e.user_key
    inner join mart.listener as l on l.user_id = u.user_id
    where e.activity_type in ('PLAY', 'PAUSE', 'SKIP')
    on conflict do nothing;
    return null;
end
$$;

create trigger touched_by_insert after insert on warehouse.fact_event
referencing new table as changed for each statement execute function audit.touch_day();

create trigger touched_by_delete after delete on warehouse.fact_event
referencing old table as changed for each statement execute function audit.touch_day();

create trigger touched_by_update after update on warehouse.fact_event
referencing new table as changed for each statement execute function audit.touch_day();

create trigger touched_before_update after update on warehouse.fact_event
referencing old table as changed for each statement execute function audit.touch_day();
