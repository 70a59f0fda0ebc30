-- The hours in which the live tables differ from the star.
select distinct hour_start
from audit.live_difference
order by hour_start;
