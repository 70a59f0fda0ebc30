-- The newest forecast of a series of which 28 days or 4 weeks have come, with their values. A week has its Monday as
-- date, and a forecast begins with the week that its last day belongs to, unless that is a Sunday.
select as_of_date, target_date, model, q025, q10, q50, q90, q975, value, error, naive_error, is_in_80, is_in_95
from mart.forecast_accuracy
where metric = :metric
    and grain = :grain
    and level = :level
    and segment = :segment
    and as_of_date = (
        select max(f.as_of_date)
        from mart.forecast as f
        where f.metric = :metric
            and f.grain = :grain
            and f.level = :level
            and f.segment = :segment
            and f.as_of_date <= (
                select max(s.target_date) - case :grain when 'week' then 16 else 28 end
                from mart.forecast_series as s
                where s.metric = :metric and s.grain = :grain and s.level = :level and s.segment = :segment
            )
    )
order by target_date;
