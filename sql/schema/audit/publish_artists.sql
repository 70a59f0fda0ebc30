-- Run at the end of a build, and when an artist's login is created; the caller must hold the lock of the warehouse.
create function audit.publish_artists() returns void
language plpgsql
set search_path = pg_catalog
as $$
declare
    new_keys integer [];
begin
    -- An artist who was inferred keeps the key and gets another id.
    update audit.published_artist as p
    set artist_id = a.artist_id
    from warehouse.dim_artist as a
    where a.artist_key = p.artist_key and a.artist_id <> p.artist_id;

    with begun as (
        insert into audit.published_artist (artist_key, artist_id)
        select a.artist_key, a.artist_id
        from warehouse.dim_artist as a
        where a.artist_key > 0
            and a.artist_id in (select l.artist_id from audit.login as l where l.kind = 'artist')
            and not exists (select from audit.published_artist as p where p.artist_key = a.artist_key)
        returning artist_key
    )

    select coalesce(array_agg(b.artist_key), '{}') into new_keys from begun as b;

    if new_keys <> '{}' then
        -- These rows are there from the beginning: to read them costs the same, whether there is an audience or not.
        insert into audit.published_artist_week (artist_key, week_start, plays, listeners)
        select k, '-infinity', 0, 0 from unnest(new_keys) as k;
        insert into audit.published_artist_country (artist_key, country, plays, listeners)
        select k, '', 0, 0 from unnest(new_keys) as k;
        insert into audit.published_artist_track (artist_key, recording_key, plays)
        select k, 0, 0 from unnest(new_keys) as k;

        insert into audit.unpublished_play (artist_key, listener_key, week_start, recording_key, country, plays)
        select
            p.artist_key,
            p.listener_key,
            date_trunc('week', p.local_date::timestamp)::date,
            greatest(t.recording_key, 0),
            k.country,
            count(*)
        from mart.counted_play as p
        inner join mart.counted_track as t on t.track_key = p.track_key
        inner join mart.listening_context as k on k.listening_context_key = p.listening_context_key
        where p.artist_key = any (new_keys) and not p.is_excluded
        group by 1, 2, 3, 4, 5;
    end if;

    -- The key of a listener who was forgotten may become another listener's.
    insert into audit.unpublished_play as f (artist_key, listener_key, week_start, recording_key, country, plays)
    select u.artist_key, -u.listener_key, u.week_start, u.recording_key, u.country, u.plays
    from audit.unpublished_play as u
    where u.listener_key > 0 and not exists (select from warehouse.dim_user as d where d.user_key = u.listener_key)
    on conflict (artist_key, listener_key, week_start, recording_key, country) do update
    set plays = f.plays + excluded.plays;
    delete from audit.unpublished_play as u
    where u.plays = 0
        or (
            u.listener_key > 0
            and not exists (select from warehouse.dim_user as d where d.user_key = u.listener_key)
        );
    update audit.published_play as p
    set listener_key = -p.listener_key
    where p.listener_key > 0 and not exists (select from warehouse.dim_user as d where d.user_key = p.listener_key);

    perform audit.publish_due_batches();

    update audit.published_artist_track as t
    set recording_id = d.track_id, track_name = d.name
    from warehouse.dim_track as d
    where d.track_key = t.recording_key
        and t.recording_key > 0
        and (t.recording_id, t.track_name) is distinct from (d.track_id, d.name);
end
$$;

comment on function audit.publish_artists is 'Takes up artists that have got a login, and publishes the batches that are due.';
