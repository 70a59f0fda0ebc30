create function mart.quantile(
    entries_by_bin bigint[], share double precision, first_bound double precision, last_bound double precision
)
returns double precision
language sql
immutable parallel safe
as $$
    select first_bound
        + (last_bound - first_bound) / cardinality(entries_by_bin)
        * (b.bin - 1 + (share * b.all_entries - b.reached + b.entries) / b.entries)
    from (
        select
            e.bin,
            e.entries,
            sum(e.entries) over (order by e.bin)::double precision as reached,
            sum(e.entries) over ()::double precision as all_entries
        from unnest(entries_by_bin) with ordinality as e (entries, bin)
    ) as b
    where b.entries > 0 and b.reached >= share * b.all_entries
    order by b.bin
    limit 1
$$;

comment on function mart.quantile is 'The value below which the fraction of the entries is, to within a bin: entries are assumed to be evenly distributed within their bin.';
