-- The group roles, as which nobody signs in; whoever may create roles runs this, in the warehouse's database. Roles are the
-- server's, not the database's: where another warehouse of the server has made them, they are left as they are.
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

-- What everybody could else do to the others of this database: take the lock that a load holds, write without limit, and read
-- from the server's counters how many rows a question has read that nobody is shown. Only a superuser can shut that.
do $$
declare
    owner_name text := (select pg_get_userbyid(datdba) from pg_database where datname = current_database());
    routine record;
begin
    for routine in
        select p.oid::regprocedure as full_name, starts_with(p.proname, 'pg_stat') as is_counter
        from pg_proc as p
        inner join pg_roles as r on r.rolname = current_user and r.rolsuper
        where p.pronamespace = 'pg_catalog'::regnamespace
            and (
                p.proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
                or p.proname ~ '^pg_stat_get_(db_|xact_)?(tuples_returned|tuples_fetched|numscans)$'
                or p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea')
            )
    loop
        execute format('revoke execute on function %s from public', routine.full_name);
        execute format('grant execute on function %s to %I', routine.full_name, owner_name);
        if routine.is_counter then
            execute format('grant execute on function %s to pg_monitor', routine.full_name);
        end if;
    end loop;
end;
$$;

-- How large tables are, how much was written to them and how often they were read tells of plays that are hidden. Whoever reads
-- every play reads the sizes, too, which tools show; the other counters are for the owner and for monitoring.
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
