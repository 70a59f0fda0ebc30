-- The versions of the users of staged events, with ends that every clock can represent.
select
    t.user_id,
    greatest(t.valid_from, timestamptz '1900-01-01') as valid_from,
    least(t.valid_to, timestamptz '2200-01-01') as valid_to,
    t.timezone as home_timezone,
    t.user_key
from warehouse.dim_user as t
where t.user_id in (select user_id from staging.event_user)
