create function mart.count_my_plays_again(exclusion_id integer) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update warehouse.play_exclusion as x
    set revoked_by = session_user, revoked_at = now()
    where x.exclusion_id = count_my_plays_again.exclusion_id
        and x.user_id = (select s.user_id from audit.signed_in as s)
        and x.is_own
        and x.revoked_at is null;
    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('No exclusion %s of yours holds.', count_my_plays_again.exclusion_id),
            hint = 'mart.my_play_exclusion lists them. Those of an analyst are taken back by an analyst.';
    end if;
end
$$;

comment on function mart.count_my_plays_again is 'Takes back an exclusion of yours: the next build of the marts counts the plays again.';
