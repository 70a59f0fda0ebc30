-- Which playlists have the newest music? A recording counts once, with the date of its first release.
with held as (
    select
        entry.playlist_key,
        track.recording_key,
        min(track.newness_score) as newness_score,
        min(track.release_date) as release_date
    from warehouse.fact_playlist_track as entry
    join warehouse.dim_track as track using (track_key)
    where entry.valid_to = 'infinity' and track.newness_score is not null
    group by entry.playlist_key, track.recording_key
)

select
    playlist.name as playlist,
    count(*) as recordings,
    round(avg(held.newness_score)::numeric, 3) as newness,
    min(held.release_date) as oldest,
    max(held.release_date) as newest
from held
join warehouse.dim_playlist as playlist using (playlist_key)
group by playlist.playlist_key, playlist.name
having count(*) >= 20
order by avg(held.newness_score) desc, playlist.playlist_key
limit 10;
