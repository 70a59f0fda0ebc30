-- The newest forecast of a series; of several runs with the same last day the last one.
with newest as (
    select as_of_date, run_id, made_at
    from mart.forecast
    where metric = :metric and grain = :grain and level = :level and segment = :segment
    order by as_of_date desc, made_at desc
    limit 1
)

select f.target_date, f.horizon, f.model, f.naive, f.q025, f.q10, f.q50, f.q90, f.q975, n.as_of_date, n.made_at,
    n.run_id
from newest as n
inner join mart.forecast as f on f.as_of_date = n.as_of_date and f.run_id = n.run_id
where f.metric = :metric and f.grain = :grain and f.level = :level and f.segment = :segment
order by f.target_date;
