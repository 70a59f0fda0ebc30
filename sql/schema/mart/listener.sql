create view mart.listener as
select user_key as listener_key, user_id
from warehouse.dim_user
where valid_from = '-infinity' and user_key > 0;

comment on view mart.listener is 'A number for each user that stays the same: the key of the user''s first version.';
comment on column mart.listener.listener_key is 'The number.';
comment on column mart.listener.user_id is 'The user.';
