-- The periods with charts of a country or continent, newest first.
select period_start
from mart.chart
where place_kind = :place_kind and place = :place and period = :period and kind = 'recording'
order by period_start desc;
