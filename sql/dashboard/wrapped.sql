-- A user's years in figures, all time (year 0) last.
select
    w.year,
    w.minutes_played,
    w.plays,
    w.tracks,
    w.artists,
    w.first_play_at,
    w.longest_streak_days,
    w.longest_streak_from,
    w.longest_session_ms,
    s.local_date as longest_session_on,
    w.favourite_hour,
    w.new_artist_share,
    w.top_audio_cluster_name
from mart.wrapped as w
left join mart.listening_session as s on s.user_id = w.user_id and s.started_at = w.longest_session_at
where w.user_id = :user_id
order by w.year desc;
