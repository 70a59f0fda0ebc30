-- Where the own music is played; countries of few listeners stand in one row without a name.
select country, plays, listeners
from mart.my_artist_country
order by listeners desc nulls last, plays desc, country;
