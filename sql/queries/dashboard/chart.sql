-- The most played items of a country or continent in a period.
select rank, item_id, name, artist_name, plays
from mart.top_by_continent
where place_kind = :place_kind
    and place = :place
    and period = :period
    and period_start = :period_start
    and kind = :kind
order by rank;
