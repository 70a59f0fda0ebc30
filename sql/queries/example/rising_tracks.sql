-- Which tracks have gained most popularity between the first and the last response of the API?
with told as (
    select
        track_key,
        (array_agg(popularity order by date_key))[1] as first_popularity,
        (array_agg(popularity order by date_key desc))[1] as last_popularity,
        min(date_key) as first_day,
        max(date_key) as last_day
    from warehouse.fact_track_popularity
    group by track_key
)

select
    track.name as track,
    artist.name as artist,
    told.first_day,
    told.last_day,
    told.first_popularity,
    told.last_popularity,
    told.last_popularity - told.first_popularity as rise
from told
join warehouse.dim_track as track using (track_key)
left join lateral (
    select credited.name
    from warehouse.bridge_track_artist as part
    join warehouse.dim_artist as credited using (artist_key)
    where part.track_key = told.track_key
    order by part.position
    limit 1
) as artist on true
where told.last_popularity > told.first_popularity
order by rise desc, told.track_key
limit 10;
