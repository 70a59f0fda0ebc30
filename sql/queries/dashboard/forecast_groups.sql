-- The groups of series with the model that the last training chose for each; without a model it publishes nothing.
select distinct on (metric, grain, level) metric, grain, level, model, mase, reason, run_id, made_at
from mart.forecast_champion
order by metric, grain, level, made_at desc;
