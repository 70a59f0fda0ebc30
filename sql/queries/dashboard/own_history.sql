-- The plays of the signed-in listener in a range of time, the newest first, and the least length of one that counts.
select
    e.event_time,
    e.event_time + e.ms_played * interval '1 millisecond' as ended_at,
    e.ms_played,
    e.track_id,
    e.track_name,
    e.artist_name,
    e.album_name,
    e.platform,
    e.reason_start,
    e.reason_end,
    e.is_shuffle,
    e.is_offline,
    e.is_incognito,
    e.is_skipped,
    e.device_type,
    e.country,
    e.source,
    d.play_min_ms
from mart.my_event as e
cross join mart.definition as d
where e.activity_type = 'PLAY' and e.event_time >= :start and e.event_time < :end
order by e.event_time desc
limit :max_plays
