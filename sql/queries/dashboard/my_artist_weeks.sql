-- The own audience by week; what is not shown by week stands in one row without one.
select week_start, plays, listeners, new_listeners, returning_listeners
from mart.my_artist_audience
order by week_start;
