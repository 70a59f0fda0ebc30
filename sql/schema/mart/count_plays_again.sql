create function mart.count_plays_again(exclusion_id integer) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update warehouse.play_exclusion as x
    set revoked_by = session_user, revoked_at = now()
    where x.exclusion_id = count_plays_again.exclusion_id and not x.is_own and x.revoked_at is null;
    if not found then
        raise exception using
            errcode = 'no_data_found',
            message = format('No exclusion %s of an analyst holds.', count_plays_again.exclusion_id),
            hint = 'mart.play_exclusion lists them. A listener''s own exclusion is taken back by the listener alone.';
    end if;
end
$$;

comment on function mart.count_plays_again is 'Takes back an exclusion that an analyst or operator has stated: the next build of the marts counts the plays again.';
