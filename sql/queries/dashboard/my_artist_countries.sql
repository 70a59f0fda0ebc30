-- The artist's own audience by country; plays that are not shown by country are in one row without a country.
select country, plays, listeners
from mart.my_artist_country
order by listeners desc nulls last, plays desc, country;
