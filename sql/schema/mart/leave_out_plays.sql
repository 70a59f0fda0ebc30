create function mart.leave_out_plays(
    user_id text,
    playlist_id text default null,
    device_type text default null,
    platform text default null,
    artist_id text default null,
    track_id text default null,
    is_private_session boolean default false,
    first_date date default null,
    last_date date default null,
    note text default null
) returns integer
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select warehouse.state_play_exclusion(
        user_id, false, playlist_id, device_type, platform, artist_id, track_id, is_private_session, first_date,
        last_date, note
    )
$$;

comment on function mart.leave_out_plays is 'Leaves out of all counts what meets all conditions given, for one user, and returns the number of the exclusion. The next build of the marts follows it. For analysts and operators.';
