-- Tracks whose title has some words, of artists whose name has others; the id itself is found, too. With :with_names,
-- also the name-derived ids that mean such a track: rows of files that were matched with it. Ids of one recording have
-- one counts_as.
with named as (
    select t.track_key, t.recording_key, t.track_id, t.name, t.album_key, t.duration_ms, t.release_date, t.popularity,
        t.source, t.track_id = :words or lower(t.name) = lower(:words) as is_exact
    from warehouse.dim_track as t
    where t.track_key > 0
        and (strpos(lower(t.name), lower(:words)) > 0 or t.track_id = :words)
        and (
            :artist = ''
            or exists (
                select
                from warehouse.bridge_track_artist as b
                inner join warehouse.dim_artist as a on a.artist_key = b.artist_key
                where b.track_key = t.track_key and strpos(lower(a.name), lower(:artist)) > 0
            )
        )
    order by is_exact desc, t.popularity desc nulls last, t.track_id
    limit 30
)

select
    i.item_id, i.is_name_alone, n.name, f.artist_names, b.name as album_name, extract(year from n.release_date) as year,
    n.duration_ms, n.source, n.recording_key as counts_as
from named as n
left join warehouse.dim_album as b on b.album_key = n.album_key and b.album_key > 0
left join lateral (
    select string_agg(a.name, ', ' order by c.position) as artist_names
    from warehouse.bridge_track_artist as c
    inner join warehouse.dim_artist as a on a.artist_key = c.artist_key
    where c.track_key = n.track_key
) as f on true
cross join lateral (
    select n.track_id as item_id, false as is_name_alone
    union all
    select a.alias_value, true
    from warehouse.track_alias as a
    where :with_names and a.track_key = n.track_key and a.alias_kind = 'name' and a.alias_value <> n.track_id
) as i
order by n.is_exact desc, n.popularity desc nulls last, n.track_id, i.is_name_alone, i.item_id;
