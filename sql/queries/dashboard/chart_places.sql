-- Countries and continents with charts.
select distinct place_kind, place
from mart.chart
order by place_kind, place;
