-- Which five recordings lead the chart of each continent in the latest month?
select place as continent, period_start as month, rank, name as track, artist_name as artist, plays
from mart.top_by_continent
where kind = 'recording'
    and period = 'month'
    and place_kind = 'continent'
    and rank <= 5
    and period_start = (select max(period_start) from mart.top_by_continent where period = 'month')
order by continent, rank;
