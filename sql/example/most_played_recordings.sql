-- Which recordings are played most by listeners of each continent, and at which hour of their own day?
with plays as (
    select
        continent,
        recording_id,
        min(track_name) as track_name,
        min(artist_name) as artist_name,
        count(*) as plays,
        count(distinct user_id) as listeners,
        mode() within group (order by extract(hour from local_time)) as favourite_hour
    from mart.event_wide
    where activity_type = 'PLAY' and ms_played >= 30000 and continent is not null
    group by continent, recording_id
),

ranked as (
    select *, row_number() over (partition by continent order by plays desc, listeners desc, recording_id) as place
    from plays
)

select continent, place, track_name, artist_name, plays, listeners, favourite_hour
from ranked
where place <= 5
order by continent, place;
