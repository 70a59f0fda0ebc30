create function audit.touch_playlist() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    insert into audit.touched_playlist (playlist_key)
    select distinct playlist_key from changed
    on conflict do nothing;
    return null;
end
$$;
