create function mart.take_back_wish(playlist_id text) returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    delete from audit.playlist_wish as w
    where w.user_id = (select s.user_id from audit.signed_in as s) and w.playlist_id = take_back_wish.playlist_id
$$;

comment on function mart.take_back_wish is 'Takes that back.';
