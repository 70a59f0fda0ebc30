-- Run at the end of every migration: sql/schema defines what each view mart.my_… shows, this file how it is read. The
-- plan of a query shows how many rows each step has read, and a condition may be evaluated on other users' rows before
-- the view filters them. Therefore the view's query runs inside a function with the rights of its owner: the plan shows
-- only the result of the function.
set local search_path = pg_catalog;

do $$
declare
    own record;
    function_name text;
begin
    for own in
        select
            c.relname as view_name,
            pg_get_viewdef(c.oid) as question,
            string_agg(
                format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum
            ) as typed_columns,
            -- The result of a function has the database's collation.
            string_agg(
                case
                    when a.attcollation in (0, '"default"'::regcollation) then format('%I', a.attname)
                    else format('%1$I collate %2$s as %1$I', a.attname, a.attcollation::regcollation)
                end,
                ', '
                order by a.attnum
            ) as columns
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
        where c.relnamespace = 'mart'::regnamespace and c.relkind = 'v' and starts_with(c.relname, 'my_')
        group by c.oid
    loop
        function_name := format('mart.%I', 'read_' || own.view_name);
        continue when strpos(own.question, function_name) > 0;
        execute format('drop function if exists %s()', function_name);
        execute format(
            'create function %s() returns table (%s) language plpgsql stable security definer '
            'set search_path = pg_catalog, pg_temp as %L',
            function_name,
            own.typed_columns,
            format(E'#variable_conflict use_column\nbegin\n    return query\n%s\nend', own.question)
        );
        execute format(
            'create or replace view mart.%I as select %s from %s()', own.view_name, own.columns, function_name
        );
    end loop;
end
$$;

reset search_path;
