-- Marts that were never built start with a full refresh, so no changes are queued for them. Unlike an insert, create
-- table as can use several processes.
create temporary table listened_day on commit drop as
select distinct user_key, date_key
from staging.fact_event
where activity_type in ('PLAY', 'PAUSE', 'SKIP') and exists (select from mart.definition);

insert into audit.changed_day (listener_key, local_date)
select distinct l.listener_key, to_date(e.date_key::text, 'yyyymmdd')
from listened_day as e
inner join warehouse.dim_user as u on u.user_key = e.user_key
inner join mart.listener as l on l.user_id = u.user_id
on conflict do nothing;
