-- A listener requests playlists by functions. Rights on the view would allow more: a user who may delete from a view
-- may lock it, and the tables that it reads, against all others.
create function mart.request_playlist(playlist_id text) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    asker text := (select s.user_id from audit.signed_in as s);
begin
    -- A request costs time also where it is rolled back or taken back again, so that a loop writes little.
    perform pg_sleep(0.1);
    if (
        select count(*) from audit.playlist_request as w
        where w.user_id = asker and w.playlist_id <> request_playlist.playlist_id
    ) >= mart.max_playlist_requests() then
        raise exception using
            errcode = 'configuration_limit_exceeded',
            message = format('You have asked for %s playlists already.', mart.max_playlist_requests()),
            hint = 'Take one back by mart.withdraw_playlist_request, then ask again.';
    end if;
    insert into audit.playlist_request (user_id, playlist_id)
    values (asker, request_playlist.playlist_id)
    on conflict do nothing;
end
$$;

comment on function mart.request_playlist is 'Requests a playlist: the next refresh of your account reads it.';
