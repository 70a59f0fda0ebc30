-- The artist's own audience by week; plays that are not shown by week are in one row without a week.
select week_start, plays, listeners, new_listeners, returning_listeners
from mart.my_artist_audience
order by week_start;
