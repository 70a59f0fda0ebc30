-- The plays of a user in a range of time, music and spoken, in the order of time: :start <= event_time < :end.
select
    e.event_time,
    e.ended_at,
    e.ms_played,
    t.track_id,
    t.name as track_name,
    a.name as artist_name,
    l.name as album_name,
    t.isrc,
    t.duration_ms,
    null as spoken_id,
    null as spoken_name,
    null as show_name,
    c.platform,
    c.reason_start,
    c.reason_end,
    c.is_shuffle,
    c.is_offline,
    c.is_incognito,
    e.is_skipped,
    e.device_type,
    e.country,
    e.source
from warehouse.dim_user as u
inner join warehouse.fact_event as e on e.user_key = u.user_key
left join warehouse.dim_track as t on t.track_key = e.track_key and t.track_key > 0
left join warehouse.dim_album as l on l.album_key = t.album_key and l.album_key > 0
left join warehouse.dim_artist as a on a.artist_key = e.artist_key and a.artist_key > 0
left join warehouse.dim_play_context as c on c.context_key = e.context_key and c.context_key > 0
where u.user_id = :user_id and e.activity_type = 'PLAY' and e.event_time >= :start and e.event_time < :end
union all
select
    e.event_time,
    e.ended_at,
    e.ms_played,
    null,
    null,
    null,
    null,
    null,
    null,
    e.spoken_id,
    e.spoken_name,
    e.show_name,
    c.platform,
    c.reason_start,
    c.reason_end,
    c.is_shuffle,
    c.is_offline,
    c.is_incognito,
    e.is_skipped,
    e.device_type,
    e.country,
    e.source
from warehouse.dim_user as u
inner join warehouse.fact_spoken_event as e on e.user_key = u.user_key
left join warehouse.dim_play_context as c on c.context_key = e.context_key and c.context_key > 0
where u.user_id = :user_id and e.activity_type = 'PLAY' and e.event_time >= :start and e.event_time < :end
order by event_time, track_name, spoken_name
