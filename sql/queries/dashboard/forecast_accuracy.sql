-- How good the forecasts of a series were, for each day or week of the last half year over the period that ends then:
-- the mean absolute scaled error (MASE) of the median and of repeating the last week, and the fraction of values within
-- the intervals. An error is divided by the mean absolute error of repeating the last week in the history that its
-- forecast knew. Beside them stand the errors in the backtests of the trainings that chose the models of these
-- forecasts: a later training promises nothing of them. Each step is computed once, whatever the planner knows about
-- the tables.
with change as materialized (
    select
        target_date,
        abs(
            value - first_value(value) over (
                order by target_date range between interval '7 days' preceding and interval '7 days' preceding
            )
        ) as change
    from mart.forecast_series
    where metric = :metric and grain = :grain and level = :level and segment = :segment
),

outcome as materialized (
    select
        as_of_date,
        target_date,
        model,
        run_id,
        abs(error) as error,
        abs(naive_error) as naive_error,
        is_in_80,
        is_in_95
    from mart.forecast_accuracy
    where metric = :metric
        and grain = :grain
        and level = :level
        and segment = :segment
        and target_date > (select max(c.target_date) - 210 from change as c)
),

scale as materialized (
    select o.as_of_date, nullif((select avg(c.change) from change as c where c.target_date <= o.as_of_date), 0) as scale
    from (select distinct n.as_of_date from outcome as n) as o
),

run as materialized (
    select
        r.run_id,
        r.model,
        (select max(f.made_at) from mart.forecast as f where f.run_id = r.run_id) as made_at
    from (select distinct o.run_id, o.model from outcome as o) as r
),

backtest as materialized (
    select r.run_id, r.model, coalesce(b.mase, c.mase) as mase, b.naive_mase
    from run as r
    cross join lateral (
        select c.run_id, c.mase
        from mart.forecast_champion as c
        where c.metric = :metric
            and c.grain = :grain
            and c.level = :level
            and c.model = r.model
            and c.made_at <= r.made_at
        order by c.run_id = r.run_id desc, c.made_at desc
        limit 1
    ) as c
    cross join lateral (
        select avg(p.mase) as mase, avg(p.naive_mase) as naive_mase
        from mart.forecast_score as p
        where p.run_id = c.run_id
            and p.metric = :metric
            and p.grain = :grain
            and p.level = :level
            and p.model = r.model
            and (p.segment = :segment or (p.level in ('artist', 'listener') and p.segment = ''))
    ) as b
),

target as materialized (
    select
        o.target_date,
        avg(o.error / s.scale) as mase,
        avg(o.naive_error / s.scale) as naive_mase,
        avg(b.mase) as backtest_mase,
        avg(b.naive_mase) as backtest_naive_mase,
        avg(o.is_in_80::integer) as coverage_80,
        avg(o.is_in_95::integer) as coverage_95
    from outcome as o
    inner join scale as s on s.as_of_date = o.as_of_date
    left join backtest as b on b.run_id = o.run_id and b.model = o.model
    group by o.target_date
)

select
    t.target_date,
    count(*) as targets,
    avg(n.mase) as mase,
    avg(n.naive_mase) as naive_mase,
    avg(n.backtest_mase) as backtest_mase,
    avg(n.backtest_naive_mase) as backtest_naive_mase,
    avg(n.coverage_80) as coverage_80,
    avg(n.coverage_95) as coverage_95
from target as t
inner join target as n on n.target_date > t.target_date - :days and n.target_date <= t.target_date
group by t.target_date
order by t.target_date;
