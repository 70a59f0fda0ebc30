-- Decisions about ids with the names of both, the newest first; with :words those that have them in a name, id or note.
select d.*, f.name as first_name, s.name as second_name
from warehouse.match_decision as d
left join lateral (
    select coalesce(t.name, o.name, a.name, m.name) as name
    from (select) as x
    left join warehouse.dim_track as t on d.kind = 'recording' and t.track_id = d.first_id
    left join warehouse.track_alias as k
        on d.kind = 'recording' and k.alias_kind = 'name' and k.alias_value = d.first_id
    left join warehouse.dim_track as o on o.track_key = k.track_key
    left join warehouse.dim_artist as a on d.kind = 'artist' and a.artist_id = d.first_id
    left join warehouse.dim_artist as m on d.kind = 'artist' and d.first_id in (m.made_id, m.variant_made_id)
    limit 1
) as f on true
left join lateral (
    select coalesce(t.name, o.name, a.name, m.name) as name
    from (select) as x
    left join warehouse.dim_track as t on d.kind = 'recording' and t.track_id = d.second_id
    left join warehouse.track_alias as k
        on d.kind = 'recording' and k.alias_kind = 'name' and k.alias_value = d.second_id
    left join warehouse.dim_track as o on o.track_key = k.track_key
    left join warehouse.dim_artist as a on d.kind = 'artist' and a.artist_id = d.second_id
    left join warehouse.dim_artist as m on d.kind = 'artist' and d.second_id in (m.made_id, m.variant_made_id)
    limit 1
) as s on true
where (:with_revoked or d.revoked_at is null)
    and strpos(lower(concat_ws(' ', f.name, s.name, d.first_id, d.second_id, d.note)), lower(:words)) > 0
order by d.decision_id desc
limit :max_rows;
