-- The listener's own sessions and minutes by day, as the newest run forecast them; none if it did not forecast them.
select metric, target_date, q025, q10, q50, q90, q975, as_of_date
from mart.my_forecast
where grain = 'day' and is_current
order by metric, target_date;
