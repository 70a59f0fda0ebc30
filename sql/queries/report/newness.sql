-- The months that newness is measured between, as of the latest run that knew them.
select newness_oldest_month as oldest, newness_newest_month as newest
from audit.run
where newness_oldest_month is not null and result = 'published'
order by finished_at desc
limit 1;
