-- Which genres are the most danceable and lively? A recording counts once; in three genres it counts a third in each.
with recording as (
    select distinct on (recording_key) recording_key, track_key, danceability, energy
    from warehouse.dim_track
    where danceability is not null
    order by recording_key, track_key
)

select
    genre.genre,
    round(sum(part.weight)::numeric, 1) as recordings,
    round((sum(part.weight * recording.danceability) / sum(part.weight))::numeric, 3) as danceability,
    round((sum(part.weight * recording.energy) / sum(part.weight))::numeric, 3) as energy
from recording
join warehouse.bridge_track_genre as part using (track_key)
join warehouse.dim_genre as genre using (genre_key)
group by genre.genre
having sum(part.weight) >= 10
order by sum(part.weight * recording.danceability * recording.energy) / sum(part.weight) desc, genre.genre
limit 10;
