-- Who listened most in each year, at which hour, for how many days in a row, and what part of it was new?
select
    year,
    user_id,
    minutes_played,
    plays,
    tracks,
    favourite_hour,
    longest_streak_days,
    round(new_artist_share::numeric, 3) as new_artist_share,
    top_audio_cluster_name
from (
    select *, row_number() over (partition by year order by minutes_played desc, user_id) as place
    from mart.wrapped
    where year > 0
) as ranked
where place <= 5
order by year desc, place;
