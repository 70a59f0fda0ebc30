create view mart.my_listening_session with (security_barrier) as
select m.*
from mart.listening_session as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_listening_session is 'Your own sessions.';
