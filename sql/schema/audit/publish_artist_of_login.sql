-- If a build holds the lock, this build or the next one includes the artist.
create function audit.publish_artist_of_login() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if pg_try_advisory_xact_lock(20261121) then
        perform audit.publish_artists();
    end if;
    return null;
end
$$;

comment on function audit.publish_artist_of_login is 'Publishes the audience of an artist who gets a login, without waiting for the next build.';
