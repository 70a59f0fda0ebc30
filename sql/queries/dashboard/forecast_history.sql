-- How many days with plays the marts have.
select count(*) as days, min(local_date) as first_date, max(local_date) as newest_date
from mart.active_users
where daily_users > 0;
