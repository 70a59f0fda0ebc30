-- Users who play the same small set of recordings again and again as several others do, in the three days up to the
-- day. Plays from playlists do not count: listeners of one playlist share its tracks.
with active as (
    select distinct listener_key
    from mart.listener_day
    where local_date = :day and plays >= 12
),

repeated as (
    select p.listener_key, t.recording_key
    from active as a
    inner join mart.counted_play as p on p.listener_key = a.listener_key
    inner join mart.counted_track as t on t.track_key = p.track_key
    where p.local_date between cast(:day as date) - 2 and :day
        and not p.is_from_playlist
        and not p.is_excluded
    group by p.listener_key, t.recording_key
    having count(*) >= 3
),

own_set as (
    select listener_key, count(*) as recordings from repeated group by listener_key having count(*) >= 8
),

-- A hit may be repeated by thousands: each user is compared with no more than 200 of them, the same for all.
compared as (
    select
        r.*,
        s.recordings,
        row_number() over (partition by r.recording_key order by hashint4(r.listener_key), r.listener_key) as place
    from repeated as r
    inner join own_set as s on s.listener_key = r.listener_key
),

pair as (
    select a.listener_key, a.recordings, b.listener_key as other_key, count(*) as shared
    from compared as a
    inner join compared as b on b.recording_key = a.recording_key and b.place <= 200
    where b.listener_key <> a.listener_key
    group by a.listener_key, a.recordings, b.listener_key, b.recordings
    having count(*) >= 8 and count(*) >= 0.6 * least(a.recordings, b.recordings)
),

ring as (
    select listener_key, recordings, count(*) as others, max(shared) as shared
    from pair
    group by listener_key, recordings
)

select
    l.user_id,
    'shared_track_set' as rule,
    cast(cast(:day as date) - 2 as timestamp) at time zone 'UTC' as window_start,
    cast(cast(:day as date) + 1 as timestamp) at time zone 'UTC' as window_end,
    format(
        '%s recordings played three times or more in three days, up to %s of which %s other users repeat as well',
        r.recordings,
        r.shared,
        r.others
    ) as reason,
    0.9 * (1 - 0.5 ^ least(r.others - 1, 100)) as score
from ring as r
inner join mart.listener as l on l.listener_key = r.listener_key
where r.others >= 2
