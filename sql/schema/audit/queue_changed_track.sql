create function audit.queue_changed_track() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    insert into audit.changed_track (track_key) values (new.track_key) on conflict do nothing;
    return null;
end
$$;
