create function audit.queue_changed_playlists() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    insert into audit.changed_playlist (playlist_key)
    select distinct playlist_key from changed
    on conflict do nothing;
    return null;
end
$$;
