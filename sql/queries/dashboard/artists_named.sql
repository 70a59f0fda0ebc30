-- Artists whose name has some words; the id itself is found, too. With :with_names, also the name-derived ids of the
-- name and of its other spelling, which credit tracks to the name alone. Artists that are counted as one have one
-- counts_as.
with named as (
    select a.*, a.artist_id = :words or lower(a.name) = lower(:words) as is_exact
    from warehouse.dim_artist as a
    where a.artist_key > 0 and (strpos(lower(a.name), lower(:words)) > 0 or a.artist_id = :words)
    order by is_exact desc, a.popularity desc nulls last, a.artist_id
    limit 30
)

select
    i.item_id, i.is_name_alone, n.name, n.followers, n.source,
    coalesce(m.merged_into_artist_key, n.artist_key) as counts_as
from named as n
left join mart.current_artist_merge as m on m.artist_key = n.artist_key
cross join lateral (
    select n.artist_id as item_id, false as is_name_alone
    union
    select o.made_id, true
    from (values (n.made_id), (n.variant_made_id)) as o (made_id)
    where :with_names and o.made_id <> n.artist_id
) as i
order by n.is_exact desc, n.popularity desc nulls last, n.artist_id, i.is_name_alone, i.item_id;
