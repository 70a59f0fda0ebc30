-- Only what was asked for on a known day has a day: that is the API's answer.
insert into warehouse.fact_track_popularity (track_key, date_key, popularity, source)
select t.track_key, to_char(l.reference_date, 'yyyymmdd')::integer, s.popularity, s.popularity_source
from staging.dim_track as s
cross join staging.load as l
inner join warehouse.dim_track as t on t.track_id = s.track_id
left join lateral (
    select f.popularity
    from warehouse.fact_track_popularity as f
    where f.track_key = t.track_key and f.date_key < to_char(l.reference_date, 'yyyymmdd')::integer
    order by f.date_key desc
    limit 1
) as before on true
where s.popularity_source = 'api'
    and s.popularity is distinct from before.popularity
on conflict (track_key, date_key) do update
    set popularity = excluded.popularity, source = excluded.source
    where (fact_track_popularity.popularity, fact_track_popularity.source)
        is distinct from (excluded.popularity, excluded.source);
