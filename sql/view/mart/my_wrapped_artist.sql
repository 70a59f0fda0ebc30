create view mart.my_wrapped_artist with (security_barrier) as
select m.*
from mart.wrapped_artist as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_wrapped_artist is 'The hundred artists that you played most in a year, and in all time as year 0.';
