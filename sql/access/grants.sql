-- Sets who may read what. Run at the end of every migration, so that a new table has its rights from the start. The
-- rights of the group roles in our schemas are revoked and granted again by the rules below; rights of other roles are
-- not changed.
do $$
declare
    relation record;
    routine record;
    role_name text;
    hidden text[];
    shown text;
begin
    -- A login needs connect by name, so that it cannot enter another warehouse of the server. Without temporary
    -- objects, only the owner can create a function, which could otherwise read rows before a view filters them.
    execute format('revoke connect, temporary on database %I from public', current_database());
    revoke create on schema public from public;
    revoke execute on all functions in schema warehouse, mart, live, audit, staging, simulation from public;

    for role_name in
        select rolname from pg_roles where rolname in ('analyst', 'operator', 'listener', 'artist') and not rolcanlogin
    loop
        execute format('revoke all on schema warehouse, mart, live, audit, staging, simulation from %I', role_name);
        execute format('grant usage on schema mart to %I', role_name);
        -- A view's functions are called with the rights of the caller. Functions with rights of their own return the
        -- caller's own rows and store the caller's requests and statements; the others see only their arguments, and
        -- mart.attribute, which is the same for all users.
        execute format('revoke all on all functions in schema mart from %I', role_name);
        for routine in
            select p.oid::regprocedure as full_name
            from pg_proc as p
            where p.pronamespace = 'mart'::regnamespace
                and case
                    when not p.prosecdef or p.proname = 'read_my_login' then true
                    when starts_with(p.proname, 'read_my_artist_') then role_name = 'artist'
                    when
                        p.proname in (
                            'leave_out_plays', 'count_plays_again', 'state_match', 'state_difference', 'revoke_decision'
                        )
                        then role_name in ('analyst', 'operator')
                    else role_name = 'listener'
                end
        loop
            execute format('grant execute on function %s to %I', routine.full_name, role_name);
        end loop;
        if role_name in ('analyst', 'operator') then
            execute format('grant usage on schema warehouse, live to %I', role_name);
        end if;
        if role_name = 'operator' then
            execute format('grant usage on schema audit to %I', role_name);
        end if;

        for relation in
            select
                c.oid,
                c.oid::regclass as full_name,
                n.nspname as schema_name,
                c.relname as name,
                case
                    when c.relispartition then false
                    when n.nspname = 'mart' and c.relname in ('my_login', 'definition') then true
                    when n.nspname = 'mart' and c.relname = 'attribute' then role_name <> 'artist'
                    when n.nspname = 'mart' and starts_with(c.relname, 'my_artist_') then role_name = 'artist'
                    when n.nspname = 'mart' and starts_with(c.relname, 'my_') then role_name = 'listener'
                    -- The owner of a playlist leads to the name of an account, because Spotify shows it publicly.
                    when n.nspname = 'mart' and c.relname = 'playlist_owner' then false
                    -- Findings are suspicions about single users.
                    when n.nspname = 'mart' and c.relname = 'anomaly' then role_name = 'operator'
                    -- mart.play_exclusion shows its rows without what says who a listener is.
                    when n.nspname = 'warehouse' and c.relname = 'play_exclusion' then false
                    when n.nspname in ('mart', 'warehouse') then role_name in ('analyst', 'operator')
                    when n.nspname = 'live' and c.relname in ('user_hour', 'active_listener', 'top_by_user')
                        then role_name = 'operator'
                    when n.nspname = 'live' and starts_with(c.relname, 'event_id_') then false
                    when n.nspname = 'live' then role_name in ('analyst', 'operator')
                    when n.nspname = 'audit' and c.relname in ('login', 'signed_in') then false
                    when n.nspname = 'audit' then role_name = 'operator'
                    else false
                end as is_readable
            from pg_class as c
            inner join pg_namespace as n on n.oid = c.relnamespace
            where n.nspname in ('warehouse', 'mart', 'live', 'audit', 'staging', 'simulation') and c.relkind in ('r', 'p', 'v', 'm')
        loop
            execute format('revoke all on %s from %I', relation.full_name, role_name);
            continue when not relation.is_readable;

            hidden := case
                -- Users may see their own login, and survey responses have no names.
                when starts_with(relation.name, 'my_') or relation.name = 'survey_response' then '{}'
                when relation.schema_name = 'audit' and relation.name = 'rejected_row' then '{row}'
                when relation.schema_name = 'audit' and relation.name = 'fetch' then '{known}'
                -- The id of a playlist's owner is the name of an account; user_id is its pseudonym.
                else '{username, birthdate, gender, owner_id}'
            end;
            select string_agg(format('%I', attname), ', ' order by attnum)
            into shown
            from pg_attribute
            where attrelid = relation.oid and attnum > 0 and not attisdropped and attname <> all (hidden);
            -- A table without hidden columns gets the right on the whole table, which some tools look for.
            if exists (select from pg_attribute where attrelid = relation.oid and attnum > 0 and attname = any (hidden)) then
                execute format('grant select (%s) on %s to %I', shown, relation.full_name, role_name);
            else
                execute format('grant select on %s to %I', relation.full_name, role_name);
            end if;
        end loop;
    end loop;
end;
$$;
