-- The tables and views that the current user may read, at least in part.
select n.nspname || '.' || c.relname as relation
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('warehouse', 'mart', 'live', 'audit')
    and c.relkind in ('r', 'p', 'v')
    and has_schema_privilege(n.oid, 'usage')
    and has_any_column_privilege(c.oid, 'select');
