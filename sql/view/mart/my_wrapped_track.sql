create view mart.my_wrapped_track with (security_barrier) as
select m.*
from mart.wrapped_track as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_wrapped_track is 'The hundred recordings that you played most in a year, and in all time as year 0.';
