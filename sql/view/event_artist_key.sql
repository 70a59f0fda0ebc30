-- An artist that events name by no id is the known artist of that name, folded; of several the one with the most followers.
create or replace view staging.event_artist_key as
select
    s.artist_id,
    s.name,
    s.source,
    coalesce(known.artist_key, named.artist_key, alike.artist_key) as artist_key
from staging.event_artist as s
left join warehouse.dim_artist as known on known.artist_id = s.artist_id
left join lateral (
    select t.artist_key
    from warehouse.dim_artist as t
    where t.made_id = s.artist_id
    order by t.followers desc nulls last, t.artist_id
    limit 1
) as named on known.artist_key is null
left join lateral (
    select t.artist_key
    from warehouse.dim_artist as t
    where t.made_id is null and lower(t.name) = lower(s.name)
    order by t.followers desc nulls last, t.artist_id
    limit 1
) as alike on known.artist_key is null and named.artist_key is null and s.artist_id like 'name:%';

comment on view staging.event_artist_key is 'Artists that staged events name, with their key where they are known.';
comment on column staging.event_artist_key.artist_id is 'Spotify''s id, or one made of the name.';
comment on column staging.event_artist_key.name is 'The name, where an event says it.';
comment on column staging.event_artist_key.source is 'A source that names the artist.';
comment on column staging.event_artist_key.artist_key is 'The known artist; NULL for a new one.';
