-- The oldest and the newest month of the newness scores, from the latest run that has them.
select newness_oldest_month as oldest, newness_newest_month as newest
from audit.run
where newness_oldest_month is not null and result = 'published'
order by finished_at desc
limit 1;
