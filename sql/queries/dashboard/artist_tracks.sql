-- The most played recordings of an artist.
select recording_id, track_name, plays
from mart.artist_audience_track
where artist_id = :artist_id
order by plays desc, recording_id
limit 50;
