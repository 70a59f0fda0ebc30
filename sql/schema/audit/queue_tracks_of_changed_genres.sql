create function audit.queue_tracks_of_changed_genres() returns trigger
language plpgsql
set search_path = pg_catalog
as $$
begin
    -- Of the tracks that nobody has played yet, no mart knows the genres.
    insert into audit.changed_track (track_key)
    select distinct c.track_key
    from changed as c
    inner join mart.counted_track as t on t.track_key = c.track_key
    on conflict do nothing;
    return null;
end
$$;
