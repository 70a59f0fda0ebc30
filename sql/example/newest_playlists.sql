-- Which playlists hold the newest music?
select
    playlist.name as playlist,
    count(*) as tracks,
    round(avg(track.newness_score)::numeric, 3) as newness,
    min(track.release_date) as oldest,
    max(track.release_date) as newest
from warehouse.dim_playlist as playlist
join warehouse.fact_playlist_track as entry using (playlist_key)
join warehouse.dim_track as track using (track_key)
where entry.valid_to = 'infinity' and track.newness_score is not null
group by playlist.playlist_key, playlist.name
having count(*) >= 20
order by avg(track.newness_score) desc, playlist.playlist_key
limit 10;
