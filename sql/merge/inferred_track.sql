create temporary table inferred_track on commit drop as
select
    (select max(track_key) from warehouse.dim_track) + row_number() over (order by s.track_id) as track_key,
    case when s.track_id like 'name:%' then 'name' else 'spotify_id' end as alias_kind,
    s.*
from staging.event_track as s
where not exists (select from warehouse.dim_track as t where t.track_id = s.track_id)
    and not exists (
        select from warehouse.track_alias as a
        where a.alias_kind in ('name', 'spotify_id', 'linked_id') and a.alias_value = s.track_id
    );

insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source, is_inferred)
select track_key, track_key, -1, track_id, name, source, true
from inferred_track
order by track_id;

insert into warehouse.track_alias (alias_kind, alias_value, track_key, method, score)
select alias_kind, track_id, track_key, 'event', 1
from inferred_track
order by track_id;

insert into warehouse.bridge_track_artist (track_key, artist_key, position)
select t.track_key, a.artist_key, 1
from inferred_track as t
inner join staging.event_artist_key as a on a.artist_id = t.artist_id
order by t.track_id;
