-- The listeners of an artist by country.
select country, plays, listeners
from mart.artist_audience_country
where artist_id = :artist_id
order by listeners desc, plays desc, country;
