-- Periods in which plays may be missing, the open ones first.
select user_id, gap_from, gap_to, found_at, closed_at
from audit.gap
order by closed_at is not null, gap_from desc
limit 200;
