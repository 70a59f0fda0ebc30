insert into live.artist_hour as t (hour_start, artist_id, country, ms_played, late_ms_played, plays, late_plays)
select hour_start, artist_id, country, ms_played, late_ms_played, plays, late_plays
from batch_artist_hour
order by artist_id, hour_start, country
on conflict (artist_id, hour_start, country) do update
set ms_played = t.ms_played + excluded.ms_played,
    late_ms_played = t.late_ms_played + excluded.late_ms_played,
    plays = t.plays + excluded.plays,
    late_plays = t.late_plays + excluded.late_plays;
