-- The group roles, which cannot sign in. A user who may create roles runs this in the warehouse's database. Roles
-- belong to the server, not to the database: if another warehouse of the server has created them, they are not changed.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['analyst', 'operator', 'listener', 'artist'] loop
        begin
            execute format('create role %I nologin', role_name);
        exception
            when duplicate_object or unique_violation then null;
        end;
    end loop;
end;
$$;

-- Only a superuser can do the following. It keeps a login from stopping other sessions.
do $$
declare
    owner_name text := (select pg_get_userbyid(datdba) from pg_database where datname = current_database());
    routine record;
begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        return;
    end if;

    -- Functions that take the lock of a load, write without a limit, or read the server's counters of rows and pages,
    -- which would reveal hidden rows.
    for routine in
        select p.oid::regprocedure as full_name, starts_with(p.proname, 'pg_stat') as is_counter
        from pg_proc as p
        where p.pronamespace = 'pg_catalog'::regnamespace
            and (
                p.proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
                or p.proname ~ '^pg_stat_get_(db_|xact_)?(tuples_returned|tuples_fetched|numscans|blocks_fetched|blocks_hit)$'
                or p.proname in ('pg_stat_get_io', 'pg_stat_get_backend_io')
                or p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'pg_logical_emit_message', 'pg_notify')
            )
    loop
        execute format('revoke execute on function %s from public', routine.full_name);
        execute format('grant execute on function %s to %I', routine.full_name, owner_name);
        if routine.is_counter then
            execute format('grant execute on function %s to pg_monitor', routine.full_name);
        end if;
    end loop;

    -- If the server has reserved_connections, they are for the pipeline.
    if exists (select from pg_roles where rolname = 'pg_use_reserved_connections') then
        execute format('grant pg_use_reserved_connections to %I', owner_name);
    end if;

    -- What only the owner of the warehouse may do to logins: see their sessions, end one, limit a login. The functions
    -- have the rights of the superuser who creates them.
    create schema if not exists login_control;
    revoke all on schema login_control from public;

    create or replace function login_control.is_login(role_id oid) returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
    as $body$
        select exists (
            select
            from pg_roles as r
            inner join pg_auth_members as m on m.member = r.oid and not m.admin_option
            inner join pg_roles as g on g.oid = m.roleid
            where r.oid = role_id and not r.rolsuper and not r.rolcreaterole
                and g.rolname in ('analyst', 'operator', 'listener', 'artist') and not g.rolcanlogin
        )
    $body$;

    create or replace function login_control.sessions()
    returns table (
        pid integer,
        login_name text,
        application text,
        state text,
        connected_at timestamptz,
        transaction_at timestamptz,
        changed_at timestamptz
    )
    language sql
    security definer
    set search_path = pg_catalog, pg_temp
    as $body$
        select a.pid, a.usename, a.application_name, a.state, a.backend_start, a.xact_start, a.state_change
        from pg_stat_activity as a
        where a.datname = current_database() and a.backend_type = 'client backend' and login_control.is_login(a.usesysid)
    $body$;

    create or replace function login_control.end_session(process_id integer) returns boolean
    language sql
    security definer
    set search_path = pg_catalog, pg_temp
    as $body$
        select coalesce(bool_or(pg_terminate_backend(a.pid)), false)
        from pg_stat_activity as a
        where a.pid = process_id and login_control.is_login(a.usesysid)
            and (a.datname = current_database() or has_database_privilege(a.usesysid, current_database(), 'connect'))
    $body$;

    -- A login cannot lift its limits of connections, temporary files and logging; it can lift its timeouts, so the
    -- pipeline ends what lasts longer. Limits that an administrator has set for a login are not changed.
    create or replace function login_control.limit_login(login_name text) returns void
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
    as $body$
    declare
        login pg_authid;
        setting record;
    begin
        select * into strict login from pg_authid as a where a.rolname = login_name;
        if not login_control.is_login(login.oid) then
            raise exception using errcode = 'insufficient_privilege', message = format('%s is no login', login_name);
        end if;
        if login.rolconnlimit = -1 then
            execute format('alter role %I connection limit 12', login_name);
        end if;
        for setting in
            select s.name, s.value
            from (
                values
                    ('temp_file_limit', '1GB'),
                    ('log_min_messages', 'fatal'),
                    ('idle_in_transaction_session_timeout', '10min'),
                    ('statement_timeout', '30min'),
                    ('transaction_timeout', '1h')
            ) as s (name, value)
            where exists (select from pg_settings as p where p.name = s.name)
                and not exists (
                    select
                    from pg_db_role_setting as d
                    cross join unnest(d.setconfig) as c (words)
                    where d.setrole = login.oid and d.setdatabase = 0 and starts_with(c.words, s.name || '=')
                )
        loop
            execute format('alter role %I set %I = %L', login_name, setting.name, setting.value);
        end loop;
    end
    $body$;

    revoke all on all functions in schema login_control from public;
    execute format('grant usage on schema login_control to %I', owner_name);
    execute format('grant execute on all functions in schema login_control to %I', owner_name);
    perform login_control.limit_login(r.rolname)
    from pg_roles as r
    where r.rolcanlogin and login_control.is_login(r.oid);
end;
$$;

-- Sizes of tables and counters of writes and reads reveal the number of hidden plays. Roles that read every play may
-- read the sizes, which tools show; the other counters are for the owner and for monitoring.
do $$
declare
    owner_name text := (select pg_get_userbyid(datdba) from pg_database where datname = current_database());
    routine record;
    reader text;
    plain_columns text;
begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        return;
    end if;

    for routine in
        select
            p.oid::regprocedure as full_name,
            case when p.proname ~ '(_size|_live_tuples)$' then '{pg_monitor, analyst, operator}' else '{pg_monitor}' end::text []
                as readers
        from pg_proc as p
        where p.pronamespace = 'pg_catalog'::regnamespace
            and (
                p.proname ~ '^pg_stat_get_(db_|xact_)?(tuples|blocks|function)_'
                or p.proname ~ '^pg_stat_get_(xact_)?(numscans|lastscan|(live|dead)_tuples|(mod|ins)_since_\w+)$'
                or p.proname ~ '^pg_(relation|total_relation|table|indexes)_size$'
            )
    loop
        execute format('revoke execute on function %s from public', routine.full_name);
        foreach reader in array array_append(routine.readers, owner_name) loop
            execute format('grant execute on function %s to %I', routine.full_name, reader);
        end loop;
    end loop;

    select string_agg(format('%I', attname), ', ' order by attnum)
    into plain_columns
    from pg_attribute
    where attrelid = 'pg_class'::regclass
        and attnum > 0
        and attname not in ('relpages', 'reltuples', 'relallvisible', 'relallfrozen');
    revoke select on pg_class from public;
    execute format('grant select (%s) on pg_class to public', plain_columns);
    foreach reader in array array[owner_name, 'pg_monitor', 'analyst', 'operator'] loop
        execute format('grant select on pg_class to %I', reader);
    end loop;
end;
$$;
