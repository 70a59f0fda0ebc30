create view mart.my_artist_country with (security_barrier) as
with country as (
    select c.*, c.country <> '' and c.listeners > 0 and c.plays >= 5 as is_named
    from audit.published_artist as p
    inner join audit.published_artist_country as c on c.artist_key = p.artist_key
    where p.artist_id = (select s.artist_id from audit.signed_in as s)
)

select country, (plays / 5 * 5)::integer as plays, listeners
from country
where is_named
union all
select null, (sum(plays)::bigint / 5 * 5)::integer, null
from country
where not is_named
having sum(plays) >= 5;

comment on view mart.my_artist_country is 'Where you are played, over all time, as published in batches of four weeks or more. Plays that are not shown by country are in one row without a country. Numbers are rounded down to fives.';
comment on column mart.my_artist_country.country is 'ISO 3166-1 alpha-2, "unknown" if not known; NULL for plays that are not shown by country.';
comment on column mart.my_artist_country.plays is 'Number of plays.';
comment on column mart.my_artist_country.listeners is 'Number of listeners.';
