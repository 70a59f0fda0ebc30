create view mart.my_user_personality with (security_barrier) as
select m.*
from mart.user_personality as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_user_personality is 'Your listening personality, inferred from your plays.';
