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
