create view mart.my_wrapped_genre with (security_barrier) as
select m.*
from mart.wrapped_genre as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_wrapped_genre is 'The hundred genres that you played most in a year, and in all time as year 0.';
