-- The group roles, as which nobody signs in; whoever may create roles runs this. Roles are the server's, not the
-- database's: where another warehouse of the server has made them, they are left as they are.
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
