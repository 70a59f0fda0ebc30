insert into warehouse.dim_artist (artist_key, artist_id, name, source, is_inferred)
select
    (select max(artist_key) from warehouse.dim_artist) + row_number() over (order by s.artist_id),
    s.artist_id,
    s.name,
    s.source,
    true
from staging.event_artist_key as s
where s.artist_key is null and s.artist_id not like 'name:%'
order by s.artist_id;

-- From here on, a name may mean one of these.
insert into warehouse.dim_artist (artist_key, artist_id, made_id, name, source, is_inferred)
select
    (select max(artist_key) from warehouse.dim_artist) + row_number() over (order by s.artist_id),
    s.artist_id,
    s.artist_id,
    s.name,
    s.source,
    true
from staging.event_artist_key as s
where s.artist_key is null
order by s.artist_id;

-- A name that earlier events lacked, or of two names the smaller one, so that the order of events does not matter.
update warehouse.dim_artist as t
set name = s.name, source = s.source
from staging.event_artist_key as s
where t.artist_key = s.artist_key
    and t.artist_id = s.artist_id
    and t.is_inferred
    and s.name is not null
    and (t.name is null or (s.name collate "C", s.source collate "C") < (t.name collate "C", t.source collate "C"));
