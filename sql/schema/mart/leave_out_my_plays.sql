create function mart.leave_out_my_plays(
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
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    listener text := (select s.user_id from audit.signed_in as s);
begin
    if (
        select count(*) from warehouse.play_exclusion as x where x.user_id = listener and x.is_own
    ) >= mart.max_play_exclusions() then
        raise exception using
            errcode = 'configuration_limit_exceeded',
            message = format('You have stated %s exclusions already.', mart.max_play_exclusions()),
            hint = 'Ask the operator of this warehouse.';
    end if;
    return warehouse.state_play_exclusion(
        listener, true, playlist_id, device_type, platform, artist_id, track_id, is_private_session, first_date,
        last_date, note
    );
end
$$;

comment on function mart.leave_out_my_plays is 'Leaves out of all counts what you played that meets all conditions given, and returns the number of the exclusion. The next build of the marts follows it. Your events stay.';
