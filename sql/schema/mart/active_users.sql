create view mart.active_users as
select local_date, daily_users, weekly_users, monthly_users
from mart.active_user_count
where local_date <= (select max(local_date) from mart.active_user_count where daily_users > 0);

comment on view mart.active_users is 'Users with a play on a day, in the week and in the month that end with it.';
comment on column mart.active_users.local_date is 'The users'' own day.';
comment on column mart.active_users.daily_users is 'Users with a play on that day.';
comment on column mart.active_users.weekly_users is 'Users with a play on that day or the 6 before.';
comment on column mart.active_users.monthly_users is 'Users with a play on that day or the 29 before.';
