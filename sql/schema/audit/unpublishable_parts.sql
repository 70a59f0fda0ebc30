-- If plays are removed, a batch may cancel out those of an earlier one, and a sum of publishable groups may be that of
-- a few listeners. So the numbers of such a batch are also checked together with the last batch, the last two, and so
-- on to the first.
create function audit.unpublishable_parts(
    of_artist_key integer, before_week date, divided_by text, parts text[]
) returns setof text
language sql
stable
set search_path = pg_catalog
as $$
    with line as (
        select
            u.listener_key,
            u.plays,
            2147483647 as batch,
            case when audit.part_of(u, divided_by) = any (parts) then audit.part_of(u, divided_by) else '' end as part
        from audit.unpublished_play as u
        where u.artist_key = of_artist_key and u.week_start < before_week
        union all
        select
            p.listener_key,
            p.plays,
            p.batch,
            case
                when divided_by = 'week' and p.is_by_week then p.week_start::text
                when divided_by = 'country' and p.is_by_country then p.country
                when divided_by = 'recording' and p.is_by_recording then p.recording_key::text
                else ''
            end
        from audit.published_play as p
        where p.artist_key = of_artist_key
    ),

    listener as (
        select s.batch, l.part, l.listener_key, sum(l.plays) as plays
        from (select distinct batch from line) as s
        inner join line as l on l.batch >= s.batch
        where l.part in (select n.part from line as n where n.batch = 2147483647)
        group by s.batch, l.part, l.listener_key
        having sum(l.plays) <> 0
    )

    select distinct g.part
    from (select part, array_agg(plays) as contributions from listener group by batch, part) as g
    where not audit.is_publishable(g.contributions)
$$;

comment on function audit.unpublishable_parts is 'Weeks, countries or recordings whose differences would be of a few if these parts of a batch were published; an empty text is for what has no name.';
