create view mart.artist_audience_track as
select a.artist_id, a.name as artist_name, d.track_id as recording_id, d.name as track_name, t.plays, t.ms_played
from mart.artist_track as t
inner join warehouse.dim_artist as a on a.artist_key = t.artist_key
inner join warehouse.dim_track as d on d.track_key = t.recording_key;

comment on view mart.artist_audience_track is 'How often an artist''s recordings were played, over all time.';
comment on column mart.artist_audience_track.artist_id is 'The artist that the plays name.';
comment on column mart.artist_audience_track.artist_name is 'Its name.';
comment on column mart.artist_audience_track.recording_id is 'The track id that names the recording.';
comment on column mart.artist_audience_track.track_name is 'Its name.';
comment on column mart.artist_audience_track.plays is 'Number of plays.';
comment on column mart.artist_audience_track.ms_played is 'How long they were heard, ms.';
