-- The listener's own sessions and minutes by day, in the weeks before the forecast.
select metric, target_date, value
from mart.my_forecast_series
where grain = 'day' and target_date > (select max(target_date) - 84 from mart.my_forecast_series where grain = 'day')
order by metric, target_date;
