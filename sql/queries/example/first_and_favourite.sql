-- Which recording did users hear first of the artist whom they play most?
with favourite as (
    select user_id, artist_id, artist_name, plays
    from mart.wrapped_artist
    where year = 0 and rank = 1
)

select
    favourite.user_id,
    favourite.artist_name,
    favourite.plays,
    first_play.track_name,
    first_play.local_date
from favourite
join warehouse.dim_artist as artist using (artist_id)
cross join lateral (
    select track.name as track_name, play.local_date
    from mart.play as play
    join warehouse.dim_track as track using (track_key)
    where play.user_id = favourite.user_id and play.artist_key = artist.artist_key
    order by play.event_time, play.event_id
    limit 1
) as first_play
order by favourite.plays desc, favourite.user_id
limit 20;
