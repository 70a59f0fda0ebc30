-- An artist without an id in an event is the known artist of the name, else the one with the name-derived id.
create view staging.event_artist_key as
select
    s.artist_id,
    s.name,
    s.source,
    coalesce(
        case when s.artist_id like 'name:%' then staging.artist_of_name(s.artist_id, s.name) end,
        (select t.artist_key from warehouse.dim_artist as t where t.artist_id = s.artist_id)
    ) as artist_key
from staging.event_artist as s;

comment on view staging.event_artist_key is 'Artists that staged events name, with their key if they are known.';
comment on column staging.event_artist_key.artist_id is 'Spotify''s id, or one made of the name.';
comment on column staging.event_artist_key.name is 'The name, if an event gives it; else NULL.';
comment on column staging.event_artist_key.source is 'A source that names the artist.';
comment on column staging.event_artist_key.artist_key is 'The known artist; NULL for a new one.';
