-- The functions of mart that analysts and listeners call have checked whose plays the caller may leave out.
create function warehouse.state_play_exclusion(
    user_id text,
    is_own boolean,
    playlist_id text,
    device_type text,
    platform text,
    artist_id text,
    track_id text,
    is_private_session boolean,
    first_date date,
    last_date date,
    note text
) returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
    missing text;
    stated integer;
begin
    -- A statement costs time also where it is rolled back or taken back again, so that a loop writes little.
    perform pg_sleep(0.1);
    if num_nonnulls(playlist_id, device_type, platform, artist_id, track_id, first_date, last_date) = 0
        and not coalesce(is_private_session, false)
    then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = 'An exclusion needs a condition: without one all plays would be left out.',
            hint = 'Name a playlist, a device_type, a platform, an artist, a track, private sessions or dates.';
    end if;
    if first_date > last_date then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('The first date, %s, is after the last, %s.', first_date, last_date);
    end if;
    missing := case
        when not exists (select from warehouse.dim_user as u where u.user_id = user_id and u.user_key > 0)
            then format('The user %L is not known.', user_id)
        when playlist_id is not null
            and not exists (
                select from warehouse.dim_playlist as p where p.playlist_id = playlist_id and p.playlist_key > 0
            )
            then format('The playlist %L is not known.', playlist_id)
        when not exists (select from warehouse.dim_artist as a where a.artist_id = artist_id and a.artist_key > 0)
            and artist_id is not null
            then format('The artist %L is not known.', artist_id)
        when not exists (select from warehouse.dim_track as t where t.track_id = track_id and t.track_key > 0)
            and track_id is not null
            then format('The track %L is not known.', track_id)
        when not exists (select from warehouse.dim_play_context as c where c.platform = platform and c.context_key > 0)
            and platform is not null
            then format('No event has the platform %L.', platform)
        when device_type not in ('MOBILE', 'DESKTOP', 'TABLET', 'SMART_SPEAKER')
            then format('%L is no device type: MOBILE, DESKTOP, TABLET or SMART_SPEAKER.', device_type)
    end;
    if missing is not null then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = missing,
            hint = 'Give ids as the warehouse has them: the last part of a link of Spotify.';
    end if;
    insert into warehouse.play_exclusion (
        user_id, is_own, playlist_id, device_type, platform, artist_id, track_id, is_private_session, first_date,
        last_date, note
    )
    values (
        user_id, is_own, playlist_id, device_type, platform, artist_id, track_id, coalesce(is_private_session, false),
        first_date, last_date, note
    )
    on conflict do nothing
    returning play_exclusion.exclusion_id into stated;
    if stated is null then
        select x.exclusion_id into stated
        from warehouse.play_exclusion as x
        where x.revoked_at is null
            and (
                x.user_id, x.is_own, x.playlist_id, x.device_type, x.platform, x.artist_id, x.track_id,
                x.is_private_session, x.first_date, x.last_date
            ) is not distinct from (
                user_id, is_own, playlist_id, device_type, platform, artist_id, track_id,
                coalesce(is_private_session, false), first_date, last_date
            );
    end if;
    return stated;
end
$$;

comment on function warehouse.state_play_exclusion is 'Stores an exclusion and returns its number; that of the same exclusion if it holds already. For the functions of mart, which check whose plays may be left out.';
