-- The artist's own plays by hour: all of them, by song and by country.
select hour_start, divided_by, item_id, track_name, plays
from mart.my_artist_live_hour
order by hour_start, divided_by, plays desc, item_id;
