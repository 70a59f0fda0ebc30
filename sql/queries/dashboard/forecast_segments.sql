-- The series of a group, the largest first.
select s.segment, coalesce(a.name, s.segment) as name
from (
    select segment, sum(value) as total
    from mart.forecast_series
    where metric = :metric and grain = :grain and level = :level
    group by segment
) as s
left join warehouse.dim_artist as a on :level = 'artist' and a.artist_key::text = s.segment
order by s.total desc, s.segment
limit 500;
