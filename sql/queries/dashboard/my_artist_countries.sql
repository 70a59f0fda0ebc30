-- Where the own music is played; what is not shown by country stands in one row without one.
select country, plays, listeners
from mart.my_artist_country
order by listeners desc nulls last, plays desc, country;
