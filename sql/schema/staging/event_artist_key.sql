-- An artist that events name by no id is the one whom the name means, else the one that was made of the name.
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

comment on view staging.event_artist_key is 'Artists that staged events name, with their key where they are known.';
comment on column staging.event_artist_key.artist_id is 'Spotify''s id, or one made of the name.';
comment on column staging.event_artist_key.name is 'The name, where an event says it.';
comment on column staging.event_artist_key.source is 'A source that names the artist.';
comment on column staging.event_artist_key.artist_key is 'The known artist; NULL for a new one.';
