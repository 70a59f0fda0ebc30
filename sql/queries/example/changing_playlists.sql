-- Which playlists have changed most: how many tracks were added and removed in the last thirty days of data?
-- A track is added at the time that the API gives, also for tracks from before the first read of a playlist.
with lately as (
    select coalesce(max(items_seen_at), now()) - interval '30 days' as since from warehouse.dim_playlist
),

counted as (
    select
        entry.playlist_key,
        count(*) filter (where entry.valid_to = 'infinity') as tracks_now,
        count(*) filter (where entry.valid_from > lately.since) as came,
        count(*) filter (where entry.valid_to <> 'infinity' and entry.valid_to > lately.since) as went
    from warehouse.fact_playlist_track as entry
    cross join lately
    group by entry.playlist_key
)

select playlist.name as playlist, counted.tracks_now, counted.came, counted.went
from counted
join warehouse.dim_playlist as playlist using (playlist_key)
where counted.came + counted.went > 0
order by counted.came + counted.went desc, counted.playlist_key
limit 10;
