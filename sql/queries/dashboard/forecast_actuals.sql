-- The newest values of a series.
select target_date, value
from mart.forecast_series
where metric = :metric and grain = :grain and level = :level and segment = :segment
order by target_date desc
limit :limit;
