-- What do we expect on Friday? The median and the 80 % interval of the newest forecast, for all listeners.
select distinct on (metric)
    metric,
    target_date,
    round(q50::numeric) as expected,
    round(q10::numeric) as at_least,
    round(q90::numeric) as at_most,
    as_of_date
from mart.forecast
where grain = 'day' and level = 'total' and extract(isodow from target_date) = 5
order by metric, as_of_date desc, made_at desc, target_date;
