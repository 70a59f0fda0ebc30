create temporary table track_artist on commit drop as
select t.track_key, a.artist_key, s.position::smallint as position
from staging.bridge_track_artist as s
inner join warehouse.dim_track as t on t.track_id = s.track_id
inner join warehouse.dim_artist as a on a.artist_id = s.artist_id;

analyze track_artist;

delete from warehouse.bridge_track_artist as t
where t.track_key in (select track_key from track_artist)
    and not exists (
        select from track_artist as s
        where s.track_key = t.track_key and s.position = t.position and s.artist_key = t.artist_key
    );

insert into warehouse.bridge_track_artist (track_key, artist_key, position)
select s.track_key, s.artist_key, s.position
from track_artist as s
where not exists (
    select from warehouse.bridge_track_artist as t where t.track_key = s.track_key and t.position = s.position
)
order by s.track_key, s.position;

analyze warehouse.bridge_track_artist;
