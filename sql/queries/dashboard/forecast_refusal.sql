-- Why the last run did not forecast a series; no row if it did.
select reason
from mart.forecast_refusal
where metric = :metric and grain = :grain and level = :level and segment = :segment;
