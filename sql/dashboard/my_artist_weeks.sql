-- The own audience by week; weeks of few listeners stand in one row without a week.
select week_start, plays, listeners, new_listeners, returning_listeners
from mart.my_artist_audience
order by week_start;
