-- Events as records of the contract entity_event: $1 <= event_time < $2. Keys 0 (not applicable) and -1 (unknown) give
-- neither track nor artist.
select
    e.event_id::text as "eventId",
    u.user_id as "userId",
    t.track_id as "trackId",
    a.artist_id as "artistId",
    e.activity_type as "activityType",
    e.event_time as "timestamp",
    e.ms_played as "msPlayed",
    e.device_type as "deviceType"
from warehouse.fact_event as e
inner join warehouse.dim_user as u on u.user_key = e.user_key
left join warehouse.dim_track as t on t.track_key = e.track_key and t.track_key > 0
left join warehouse.dim_artist as a on a.artist_key = e.artist_key and a.artist_key > 0
where e.event_time >= $1 and e.event_time < $2
