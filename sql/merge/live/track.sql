insert into live.track as t (track_id, track_name, artist_id, artist_name, genre)
select b.track_id, b.track_name, b.artist_id, b.artist_name, b.genre
from batch_track as b
where not exists (
    select
    from live.track as k
    where k.track_id = b.track_id
        and (k.track_name, k.artist_id, k.artist_name, k.genre)
        is not distinct from (b.track_name, b.artist_id, b.artist_name, b.genre)
)
order by b.track_id
on conflict (track_id) do update
set track_name = excluded.track_name,
    artist_id = excluded.artist_id,
    artist_name = excluded.artist_name,
    genre = excluded.genre;
