create or replace view mart.my_wrapped with (security_barrier) as
select m.*
from mart.wrapped as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_wrapped is 'Your own year in figures, and all time as year 0.';
