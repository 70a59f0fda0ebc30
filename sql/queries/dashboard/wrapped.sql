-- A user's years in figures, all time (year 0) last.
select
    year,
    minutes_played,
    plays,
    tracks,
    artists,
    first_play_on,
    longest_streak_days,
    longest_streak_from,
    longest_session_ms,
    longest_session_on,
    favourite_hour,
    new_artist_share,
    top_audio_cluster_name
from mart.wrapped
where user_id = :user_id
order by year desc;
