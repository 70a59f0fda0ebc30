-- The last batch whose messages are all before the offsets, and the first that has all messages before them.
select
    max(b.batch_id) filter (where c.is_within) as last_within,
    min(b.batch_id) filter (where c.is_beyond) as first_beyond
from live.batch as b
cross join lateral (
    select
        bool_and(coalesce(n.batch_offset, 0) <= coalesce(n.loaded_offset, 0)) as is_within,
        bool_and(coalesce(n.batch_offset, 0) >= coalesce(n.loaded_offset, 0)) as is_beyond
    from unnest(b.next_offsets, cast(:offsets as bigint[])) as n (batch_offset, loaded_offset)
) as c;
