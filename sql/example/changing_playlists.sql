-- Which playlists change most: how many tracks came and went since they are watched?
select
    playlist.name as playlist,
    count(*) filter (where entry.valid_to = 'infinity') as tracks_now,
    count(*) filter (where entry.valid_from > watched.since) as came,
    count(*) filter (where entry.valid_to <> 'infinity') as went
from warehouse.dim_playlist as playlist
join warehouse.fact_playlist_track as entry using (playlist_key)
join (
    select playlist_key, min(valid_from) as since
    from warehouse.fact_playlist_track
    group by playlist_key
) as watched using (playlist_key)
group by playlist.playlist_key, playlist.name
having count(*) filter (where entry.valid_from > watched.since or entry.valid_to <> 'infinity') > 0
order by
    count(*) filter (where entry.valid_from > watched.since) + count(*) filter (where entry.valid_to <> 'infinity') desc,
    playlist.playlist_key
limit 10;
