create function mart.most_playlist_wishes() returns integer
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select 100
$$;

comment on function mart.most_playlist_wishes is 'How many playlists a listener can have asked for at once.';
