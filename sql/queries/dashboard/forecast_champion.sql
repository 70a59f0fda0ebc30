-- The choice of the model of a forecast: by its own training, else by the newest before it that chose this model. A
-- later training of fewer levels or other horizons serves its own run alone, so that its choice may be another.
select model, mase, reason, run_id
from mart.forecast_champion
where metric = :metric and grain = :grain and level = :level and model = :model and made_at <= :made_at
order by run_id = :run_id desc, made_at desc
limit 1;
