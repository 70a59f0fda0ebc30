-- The groups of series with the model that the last training chose for each; without a model nothing is published.
select distinct on (metric, grain, level) metric, grain, level, model, mase, reason, run_id
from mart.forecast_champion
order by metric, grain, level, made_at desc;
