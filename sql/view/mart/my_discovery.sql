create view mart.my_discovery with (security_barrier) as
select m.*
from mart.discovery as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_discovery is 'Recordings near your taste that you have not played.';
