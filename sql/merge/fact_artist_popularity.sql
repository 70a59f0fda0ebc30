-- Only what was asked for on a known day has a day: that is the API's answer.
insert into warehouse.fact_artist_popularity (artist_key, date_key, popularity, followers, source)
select a.artist_key, to_char(l.reference_date, 'yyyymmdd')::integer, s.popularity, s.followers, s.popularity_source
from staging.dim_artist as s
cross join staging.load as l
inner join warehouse.dim_artist as a on a.artist_id = s.artist_id
left join lateral (
    select f.popularity, f.followers
    from warehouse.fact_artist_popularity as f
    where f.artist_key = a.artist_key and f.date_key < to_char(l.reference_date, 'yyyymmdd')::integer
    order by f.date_key desc
    limit 1
) as before on true
where s.popularity_source = 'api'
    and (s.popularity, s.followers) is distinct from (before.popularity, before.followers)
on conflict (artist_key, date_key) do update
    set popularity = excluded.popularity, followers = excluded.followers, source = excluded.source
    where (fact_artist_popularity.popularity, fact_artist_popularity.followers, fact_artist_popularity.source)
        is distinct from (excluded.popularity, excluded.followers, excluded.source);
