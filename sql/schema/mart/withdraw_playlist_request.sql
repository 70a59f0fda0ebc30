create function mart.withdraw_playlist_request(playlist_id text) returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    delete from audit.playlist_request as w
    where w.user_id = (select s.user_id from audit.signed_in as s) and w.playlist_id = withdraw_playlist_request.playlist_id
$$;

comment on function mart.withdraw_playlist_request is 'Takes that back.';
