-- Which tracks have risen most in popularity between the first and the last time that the API was asked?
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
join warehouse.bridge_track_artist as part on part.track_key = track.track_key and part.position = 0
join warehouse.dim_artist as artist using (artist_key)
where told.last_popularity > told.first_popularity
order by rise desc, told.track_key
limit 10;
