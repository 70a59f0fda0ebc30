-- By these a listener changes the own wishes. Rights on the view would be more: who may delete from a view may lock it, and
-- with it what it reads, against everybody.
create function mart.wish_for_playlist(playlist_id text) returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into audit.playlist_wish (user_id, playlist_id)
    values ((select s.user_id from audit.signed_in as s), wish_for_playlist.playlist_id)
    on conflict do nothing
$$;

create function mart.take_back_wish(playlist_id text) returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    delete from audit.playlist_wish as w
    where w.user_id = (select s.user_id from audit.signed_in as s) and w.playlist_id = take_back_wish.playlist_id
$$;

comment on function mart.wish_for_playlist is 'Asks for a playlist: the next refresh of your account reads it.';
comment on function mart.take_back_wish is 'Takes that back.';
