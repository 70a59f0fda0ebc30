-- How good each model was in the backtest of a training, for a series; of artists and listeners, for all of them.
select
    model,
    avg(mase) as mase,
    avg(naive_mase) as naive_mase,
    avg(wql) as wql,
    avg(coverage_80) as coverage_80,
    avg(coverage_95) as coverage_95,
    count(*) as origins
from mart.forecast_score
where run_id = :run_id
    and metric = :metric
    and grain = :grain
    and level = :level
    and (segment = :segment or (level in ('artist', 'listener') and segment = ''))
group by model
order by mase, model;
