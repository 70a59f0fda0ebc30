-- Weeks of which each day is known.
select cast(date_trunc('week', cast(local_date as timestamp)) as date) as week_start
from known_day
group by 1
having count(*) = 7
