create view mart.my_artist_live_hour with (security_barrier) as
select p.hour_start, p.divided_by, nullif(p.item_id, '') as item_id, t.track_name, p.plays
from live.published_artist_hour as p
left join live.track as t on p.divided_by = 'track' and t.track_id = p.item_id
where p.artist_id = (select s.artist_id from audit.signed_in as s);

comment on view mart.my_artist_live_hour is 'Your plays by hour (UTC), provisional, in groups of five listeners or more; an hour is shown an hour after its end and never changes.';
comment on column mart.my_artist_live_hour.hour_start is 'The hour (UTC).';
comment on column mart.my_artist_live_hour.divided_by is 'nothing for all plays of the hour; track or country for its parts, if they can be shown.';
comment on column mart.my_artist_live_hour.item_id is 'The track id or the country (ISO 3166-1 alpha-2); NULL for all plays, and for those that are not shown by name.';
comment on column mart.my_artist_live_hour.track_name is 'Name of the track.';
comment on column mart.my_artist_live_hour.plays is 'Number of plays, rounded down to fives.';
