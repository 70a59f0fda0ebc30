-- Users with a play on a day, in the week and in the month that end with it.
select local_date, daily_users, weekly_users, monthly_users
from mart.active_users
order by local_date desc
limit 400;
