-- The largest playlists of the API, and a row for all of them: how many of their tracks have audio features.
with held as (
    select dim_playlist.playlist_key, dim_playlist.name, dim_track.track_key, dim_track.danceability
    from warehouse.dim_playlist
    left join warehouse.fact_playlist_track
        on fact_playlist_track.playlist_key = dim_playlist.playlist_key and fact_playlist_track.valid_to = 'infinity'
    left join warehouse.dim_track
        on dim_track.track_key = fact_playlist_track.track_key and dim_track.track_key > 0
    where dim_playlist.source in ('api', 'mock_api') and dim_playlist.playlist_key > 0
),

largest as (
    select playlist_key, name, count(track_key) as tracks, count(danceability) as measured
    from held
    group by playlist_key, name
    having count(track_key) > 0
    order by count(track_key) desc, name, playlist_key
    limit 12
)

select name, tracks, measured, 1 as playlists, false as is_total
from largest
union all
select
    null,
    count(distinct track_key),
    count(distinct track_key) filter (where danceability is not null),
    count(distinct playlist_key),
    true
from held
having count(*) > 0
order by is_total, tracks desc, name;
