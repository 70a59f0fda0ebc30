-- A column of a listener's view means what that column means where it comes from.
do $$
declare
    missing record;
begin
    for missing in
        select v.relname, a.attname, min(col_description(b.attrelid, b.attnum)) as description
        from pg_class as v
        join pg_attribute as a on a.attrelid = v.oid and a.attnum > 0
        join pg_depend as d on d.refclassid = 'pg_class'::regclass and d.classid = 'pg_rewrite'::regclass
        join pg_rewrite as r on r.oid = d.objid and r.ev_class = v.oid
        join pg_attribute as b on b.attrelid = d.refobjid and b.attnum > 0 and b.attname = a.attname
        where v.relnamespace = 'mart'::regnamespace
            and starts_with(v.relname, 'my_')
            and b.attrelid not in (v.oid, 'audit.signed_in'::regclass)
            and col_description(v.oid, a.attnum) is null
        group by v.relname, a.attname
    loop
        execute format('comment on column mart.%I.%I is %L', missing.relname, missing.attname, missing.description);
    end loop;
end
$$;
