-- The first and the last play of a user between :start and :end; no row for an unknown user.
select
    min(e.event_time) as first_time,
    max(e.event_time) as last_time
from (select user_key from warehouse.dim_user where user_id = :user_id) as u
left join lateral (
    select f.event_time
    from warehouse.fact_event as f
    where f.user_key = u.user_key and f.activity_type = 'PLAY' and f.event_time >= :start and f.event_time < :end
    union all
    select f.event_time
    from warehouse.fact_spoken_event as f
    where f.user_key = u.user_key and f.event_time >= :start and f.event_time < :end
) as e on true
having count(*) > 0
