create or replace view mart.my_event with (security_barrier) as
select e.*
from mart.event_wide as e
where e.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_event is 'Your own events with names instead of keys; all of them are read, whatever is asked.';
