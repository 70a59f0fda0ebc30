-- Where a build holds the lock, which is that of etl.warehouse.exclusive, the artist is taken up by it or by the next
-- one.
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

comment on function audit.publish_artist_of_login is 'Lets an artist who gets a login see the audience without waiting for the next build.';
