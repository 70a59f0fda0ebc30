create temporary table counted_after on commit drop as
select p.*
from changed_day as d
cross join lateral (
    select *
    from mart.counted_play as c
    where c.listener_key = d.listener_key and c.local_date = d.local_date
    offset 0
) as p;

analyze counted_after;

-- Removed plays and added plays: a play that exists before and now is no change.
create temporary table play_change on commit drop as
select
    listener_key,
    local_date,
    date_trunc('week', local_date::timestamp)::date as week_start,
    date_trunc('month', local_date::timestamp)::date as month_start,
    listening_context_key,
    track_key,
    recording_key,
    artist_key,
    audio_features_type,
    local_hour,
    sum(plays)::integer as plays,
    sum(ms_played)::bigint as ms_played
from (
    select
        listener_key,
        local_date,
        listening_context_key,
        track_key,
        recording_key,
        artist_key,
        audio_features_type,
        local_hour,
        -1 as plays, -ms_played as ms_played
    from counted_before
    where not is_excluded
    union all
    select
        p.listener_key, p.local_date, p.listening_context_key, p.track_key, t.recording_key, p.artist_key,
        t.audio_features_type, p.local_hour, 1, p.ms_played
    from counted_after as p
    inner join mart.counted_track as t on t.track_key = p.track_key
    where not p.is_excluded
) as told
group by
    listener_key, local_date, listening_context_key, track_key, recording_key, artist_key, audio_features_type,
    local_hour
having sum(plays) <> 0 or sum(ms_played) <> 0;

analyze play_change;

create temporary table genre_change on commit drop as
select
    listener_key,
    local_date,
    date_trunc('month', local_date::timestamp)::date as month_start,
    listening_context_key,
    genre_key,
    sum(play_millionths)::bigint as play_millionths,
    sum(ms_millionths)::bigint as ms_millionths
from (
    select
        b.listener_key, b.local_date, b.listening_context_key, g.genre_key,
        -g.weight_millionths as play_millionths,
        -b.ms_played::bigint * g.weight_millionths as ms_millionths
    from counted_before as b
    inner join genre_before as g on g.track_key = b.track_key
    where not b.is_excluded
    union all
    select
        p.listener_key, p.local_date, p.listening_context_key, g.genre_key,
        g.weight_millionths,
        p.ms_played::bigint * g.weight_millionths
    from counted_after as p
    inner join mart.counted_track_genre as g on g.track_key = p.track_key
    where not p.is_excluded
) as told
group by listener_key, local_date, listening_context_key, genre_key
having sum(play_millionths) <> 0 or sum(ms_millionths) <> 0;

analyze genre_change;

create temporary table published_change on commit drop as
select artist_key, listener_key, week_start, recording_key, listening_context_key, plays
from play_change
where artist_key in (select artist_key from audit.published_artist);
