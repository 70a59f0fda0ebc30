-- Events of tracks whose artist was guessed, or is known by name only. For a track that only events report, a name
-- means an artist with an id as soon as there is one; a source's artist of the track has precedence, and so has the
-- artist of the track to which it was matched.
create temporary table guessed_track on commit drop as
select g.track_key, g.artist_key, k.is_inferred, k.merged_into_track_key
from audit.name_matched_artist as g
inner join warehouse.dim_track as k on k.track_key = g.track_key;

with meant as materialized (
    select a.artist_key as former_key, staging.artist_of_name(a.artist_id, a.name) as artist_key
    from warehouse.dim_artist as a
    where a.artist_id like 'name:%' and a.artist_key in (select artist_key from guessed_track where is_inferred)
)

update warehouse.bridge_track_artist as t
set artist_key = m.artist_key
from guessed_track as g
inner join meant as m on m.former_key = g.artist_key
where g.is_inferred and t.track_key = g.track_key and t.artist_key = m.former_key and m.artist_key is not null;

create temporary table artist_found on commit drop as
select g.track_key, g.artist_key as former_key, f.artist_key
from guessed_track as g
cross join lateral (
    select b.artist_key
    from warehouse.bridge_track_artist as b
    where b.track_key in (g.track_key, g.merged_into_track_key)
    order by b.track_key = g.track_key, b.position
    limit 1
) as f
where f.artist_key <> g.artist_key;

-- Finding them reads all events, but this happens only if there are such tracks.
update warehouse.fact_event as t
set artist_key = f.artist_key
from artist_found as f
where exists (select from artist_found) and t.track_key = f.track_key and t.artist_key in (-1, f.former_key);

update audit.dropped_event as t
set artist_key = f.artist_key
from artist_found as f
where exists (select from artist_found) and t.track_key = f.track_key and t.artist_key in (-1, f.former_key);

update audit.name_matched_artist as t
set artist_key = f.artist_key
from artist_found as f
where t.track_key = f.track_key;

delete from audit.name_matched_artist as t
using warehouse.dim_track as k, warehouse.dim_artist as a
where k.track_key = t.track_key and not k.is_inferred and a.artist_key = t.artist_key and a.artist_id not like 'name:%';

-- The list of tracks with events makes reading the events unnecessary: from here on these follow their catalogue.
insert into audit.name_matched_artist (track_key, artist_key)
select n.track_key, f.artist_key
from (
    select distinct t.track_key
    from staging.event_track as s
    inner join warehouse.track_alias as t
        on t.alias_kind in ('name', 'spotify_id', 'linked_id') and t.alias_value = s.track_id
) as n
cross join lateral (
    select b.artist_key
    from warehouse.bridge_track_artist as b
    where b.track_key = n.track_key
    order by b.position
    limit 1
) as f
inner join warehouse.dim_artist as a on a.artist_key = f.artist_key
where a.artist_id like 'name:%'
on conflict do nothing;
