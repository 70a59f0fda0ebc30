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

-- Fields of a track that earlier events lacked: its name (of two the smaller one, so that the order of events does not
-- matter) and its artist.
update warehouse.dim_track as t
set name = s.name, source = s.source
from staging.event_track as s
where t.track_id = s.track_id
    and t.is_inferred
    and s.name is not null
    and (t.name is null or (s.name collate "C", s.source collate "C") < (t.name collate "C", t.source collate "C"));

-- An artist given by an id has precedence over one given by name.
update warehouse.bridge_track_artist as b
set artist_key = a.artist_key
from staging.event_track as s
inner join warehouse.dim_track as t on t.track_id = s.track_id
inner join audit.name_matched_artist as g on g.track_key = t.track_key
inner join staging.event_artist_key as a on a.artist_id = s.artist_id
where b.track_key = t.track_key and b.artist_key = g.artist_key and s.artist_id not like 'name:%' and t.is_inferred;

insert into warehouse.bridge_track_artist (track_key, artist_key, position)
select t.track_key, a.artist_key, 1
from staging.event_track as s
inner join warehouse.dim_track as t on t.track_id = s.track_id
inner join staging.event_artist_key as a on a.artist_id = s.artist_id
where t.is_inferred
    and not exists (select from warehouse.bridge_track_artist as b where b.track_key = t.track_key)
order by t.track_id;

-- A play with title and artist only belongs to the track that has an id: so it does from here on, and the row of the
-- name-derived id refers to that track. Of several ids that events give a name, it refers to the smallest, whichever
-- came first.
create temporary table named_track on commit drop as
select distinct on (n.made_id) n.made_id, t.track_key, t.track_id
from (
    select distinct made_track as made_id, track_id
    from staging.event_named
    where name_set = 'things' and made_track <> track_id
) as n
cross join lateral (
    select a.track_key
    from warehouse.track_alias as a
    where a.alias_kind in ('spotify_id', 'linked_id') and a.alias_value = n.track_id
    order by a.alias_kind = 'linked_id'
    limit 1
) as a
inner join warehouse.dim_track as t on t.track_key = a.track_key
order by n.made_id, t.track_id;

update warehouse.track_alias as t
set track_key = n.track_key
from named_track as n, warehouse.dim_track as former
where t.alias_kind = 'name'
    and t.alias_value = n.made_id
    and t.method = 'event'
    and former.track_key = t.track_key
    and (former.track_id = n.made_id or n.track_id < former.track_id);

insert into warehouse.track_alias (alias_kind, alias_value, track_key, method, score)
select 'name', n.made_id, n.track_key, 'event', 1
from named_track as n
where not exists (
    select from warehouse.track_alias as a where a.alias_kind = 'name' and a.alias_value = n.made_id
);

update warehouse.dim_track as made
set merged_into_track_key = known.track_key, recording_key = known.recording_key
from named_track as n
inner join warehouse.track_alias as a on a.alias_kind = 'name' and a.alias_value = n.made_id
inner join warehouse.dim_track as known on known.track_key = a.track_key
where made.track_id = n.made_id
    and known.track_key <> made.track_key
    and (made.merged_into_track_key, made.recording_key) is distinct from (known.track_key, known.recording_key);

insert into audit.name_matched_artist (track_key, artist_key)
select n.track_key, coalesce(b.artist_key, -1)
from inferred_track as n
left join warehouse.bridge_track_artist as b on b.track_key = n.track_key
where n.artist_id is null or n.artist_id like 'name:%'
order by n.track_key;
