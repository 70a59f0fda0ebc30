create view mart.artist_audience_country as
select a.artist_id, a.name as artist_name, c.country, c.plays, c.ms_played, c.listeners
from mart.artist_country as c
inner join warehouse.dim_artist as a on a.artist_key = c.artist_key;

comment on view mart.artist_audience_country is 'Where an artist is played, over all time.';
comment on column mart.artist_audience_country.artist_id is 'The artist that the plays name.';
comment on column mart.artist_audience_country.artist_name is 'Its name.';
comment on column mart.artist_audience_country.country is 'ISO 3166-1 alpha-2; "unknown" if not known.';
comment on column mart.artist_audience_country.plays is 'Number of plays.';
comment on column mart.artist_audience_country.ms_played is 'How long they were heard, ms.';
comment on column mart.artist_audience_country.listeners is 'Number of users with a play there.';
