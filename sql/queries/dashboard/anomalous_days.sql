-- The days or weeks of a series with a value far from what was to be expected, the newest first.
select target_date, value, expected, score, reason
from mart.anomalous_day
where metric = :metric and grain = :grain and level = :level and segment = :segment
order by target_date desc;
