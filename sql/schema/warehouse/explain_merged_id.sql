create function warehouse.explain_merged_id(
    of_kind text, first_id text, second_id text, is_match boolean
) returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select message
    from (
        -- Of artists the one that counts is named: another one in its place would be a contradiction.
        select
            1 as place,
            format(
                '%s is counted as %s by decision %s: state it about %2$s.', d.second_id, d.first_id, d.decision_id
            ) as message
        from warehouse.match_decision as d
        where of_kind = 'artist'
            and explain_merged_id.is_match
            and d.kind = 'artist'
            and d.is_match
            and d.revoked_at is null
            and d.second_id in (explain_merged_id.first_id, explain_merged_id.second_id)
        union all
        select 2, format('%s is a name of the track %s: state it about %2$s.', m.id, t.track_id)
        from unnest(array[explain_merged_id.first_id, explain_merged_id.second_id]) as m (id)
        left join warehouse.dim_track as n on n.track_id = m.id
        inner join warehouse.dim_track as t
            on t.track_key = coalesce(
                nullif(n.merged_into_track_key, 0),
                case
                    when n.track_key is null
                        then (
                            select a.track_key
                            from warehouse.track_alias as a
                            where a.alias_value = m.id and a.alias_kind in ('name', 'linked_id')
                            order by a.alias_kind
                            limit 1
                        )
                end
            )
        -- A row of a file can be taken from the track that it was matched with; the track's own name cannot.
        where of_kind = 'recording'
            and (
                explain_merged_id.is_match
                or not exists (select from audit.reconciliation as r where r.from_id = m.id)
            )
        union all
        select 3, format('%s is a name of the artist %s: state it about %2$s.', m.id, a.artist_id)
        from unnest(array[explain_merged_id.first_id, explain_merged_id.second_id]) as m (id)
        inner join warehouse.dim_artist as a on m.id in (a.made_id, a.variant_made_id)
        where of_kind = 'artist'
            and explain_merged_id.is_match
            and not exists (select from warehouse.dim_artist as o where o.artist_id = m.id)
    ) as merged
    order by place
    limit 1
$$;

comment on function warehouse.explain_merged_id is 'Returns the message with which a decision about an id is rejected that stands for another one; NULL if both stand for themselves.';
