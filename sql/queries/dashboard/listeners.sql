-- Users to choose from, those with most plays first.
select user_id
from mart.wrapped
where year = 0
order by plays desc, user_id
limit 50;
