-- How good were last month's forecasts? Their mean error as a part of that of repeating last week, and the fraction of
-- values within the intervals of 80 % and 95 %.
select
    metric,
    level,
    count(*) as forecasts,
    round((sum(abs(error)) / nullif(sum(abs(naive_error)), 0))::numeric, 2) as relative_to_last_week,
    round(avg(is_in_80::integer), 2) as within_80,
    round(avg(is_in_95::integer), 2) as within_95
from mart.forecast_accuracy
where grain = 'day'
    and level in ('total', 'continent', 'plan', 'continent_plan')
    and naive_error is not null
    and target_date > (select max(target_date) - 28 from mart.forecast_series where grain = 'day')
group by metric, level
order by metric, level;
