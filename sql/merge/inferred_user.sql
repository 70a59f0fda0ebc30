insert into warehouse.dim_user (user_key, user_id, source, is_inferred, valid_from)
select
    (select max(user_key) from warehouse.dim_user) + row_number() over (order by s.user_id),
    s.user_id,
    s.source,
    true,
    '-infinity'
from staging.event_user as s
where not exists (select from warehouse.dim_user as t where t.user_id = s.user_id)
order by s.user_id;

analyze warehouse.dim_user;
