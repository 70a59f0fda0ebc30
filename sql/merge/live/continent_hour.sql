insert into live.continent_hour as t (hour_start, continent, track_id, ms_played, late_ms_played, plays, late_plays)
select hour_start, continent, track_id, ms_played, late_ms_played, plays, late_plays
from batch_continent_hour
order by hour_start, continent, track_id
on conflict (hour_start, continent, track_id) do update
set ms_played = t.ms_played + excluded.ms_played,
    late_ms_played = t.late_ms_played + excluded.late_ms_played,
    plays = t.plays + excluded.plays,
    late_plays = t.late_plays + excluded.late_plays;
