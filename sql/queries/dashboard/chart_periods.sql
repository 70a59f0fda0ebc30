-- The periods of a place, newest first.
select period_start
from mart.chart
where place_kind = :place_kind and place = :place and period = :period and kind = 'recording'
order by period_start desc;
