create view mart.artist_audience as
select
    a.artist_id,
    a.name as artist_name,
    w.week_start,
    w.plays,
    w.ms_played,
    w.listeners,
    w.new_listeners,
    w.listeners - w.new_listeners as returning_listeners
from mart.artist_week as w
inner join warehouse.dim_artist as a on a.artist_key = w.artist_key;

create view mart.artist_audience_country as
select a.artist_id, a.name as artist_name, c.country, c.plays, c.ms_played, c.listeners
from mart.artist_country as c
inner join warehouse.dim_artist as a on a.artist_key = c.artist_key;

create view mart.artist_audience_track as
select a.artist_id, a.name as artist_name, d.track_id as recording_id, d.name as track_name, t.plays, t.ms_played
from mart.artist_track as t
inner join warehouse.dim_artist as a on a.artist_key = t.artist_key
inner join warehouse.dim_track as d on d.track_key = t.recording_key;

comment on view mart.artist_audience is 'An artist''s audience by week. The sum of new_listeners is the number of all who ever listened.';
comment on column mart.artist_audience.artist_id is 'The artist that the plays name.';
comment on column mart.artist_audience.artist_name is 'Its name.';
comment on column mart.artist_audience.week_start is 'Monday of the week, on the users'' calendars.';
comment on column mart.artist_audience.plays is 'Number of plays.';
comment on column mart.artist_audience.ms_played is 'How long they were heard, ms.';
comment on column mart.artist_audience.listeners is 'Number of users with a play.';
comment on column mart.artist_audience.new_listeners is 'Users who played the artist for the first time.';
comment on column mart.artist_audience.returning_listeners is 'Users who had played the artist in an earlier week.';
comment on view mart.artist_audience_country is 'Where an artist is played, over all time.';
comment on column mart.artist_audience_country.artist_id is 'The artist that the plays name.';
comment on column mart.artist_audience_country.artist_name is 'Its name.';
comment on column mart.artist_audience_country.country is 'ISO 3166-1 alpha-2; "unknown" where it is not known.';
comment on column mart.artist_audience_country.plays is 'Number of plays.';
comment on column mart.artist_audience_country.ms_played is 'How long they were heard, ms.';
comment on column mart.artist_audience_country.listeners is 'Number of users with a play there.';
comment on view mart.artist_audience_track is 'How often an artist''s recordings were played, over all time.';
comment on column mart.artist_audience_track.artist_id is 'The artist that the plays name.';
comment on column mart.artist_audience_track.artist_name is 'Its name.';
comment on column mart.artist_audience_track.recording_id is 'The track id that names the recording.';
comment on column mart.artist_audience_track.track_name is 'Its name.';
comment on column mart.artist_audience_track.plays is 'Number of plays.';
comment on column mart.artist_audience_track.ms_played is 'How long they were heard, ms.';
