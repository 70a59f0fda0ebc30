create function mart.max_playlist_requests() returns integer
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select 100
$$;

comment on function mart.max_playlist_requests is 'The largest number of open playlist requests of a listener.';
