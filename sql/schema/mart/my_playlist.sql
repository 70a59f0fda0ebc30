create view mart.my_playlist with (security_barrier) as
select
    p.playlist_id,
    p.name,
    p.genre,
    p.source
from warehouse.dim_playlist as p
where p.owner_id = (select s.owner_id from audit.signed_in as s);

comment on view mart.my_playlist is 'Your own playlists.';
comment on column mart.my_playlist.playlist_id is 'Spotify''s playlist id.';
comment on column mart.my_playlist.name is 'The playlist''s name; NULL only for an inferred playlist.';
comment on column mart.my_playlist.genre is 'The genre that the source files the playlist under.';
comment on column mart.my_playlist.source is 'The best source that knows the playlist.';
