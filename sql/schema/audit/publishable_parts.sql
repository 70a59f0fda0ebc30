-- A part of a batch that is not published is published without a name, as one of a group that must be publishable
-- itself: the smallest named parts go into it until it is, twice as many each time.
create function audit.publishable_parts(of_artist_key integer, before_week date, divided_by text) returns text[]
language plpgsql
stable
set search_path = pg_catalog
as $$
declare
    takes_back boolean := exists (
        select from audit.unpublished_play as u
        where u.artist_key = of_artist_key and u.week_start < before_week and u.plays < 0
    );
    parts text [];
    failing text [];
    nameless bigint [];
    held_back integer := 1;
begin
    select coalesce(array_agg(p.part order by p.listeners desc, p.plays desc, p.part), '{}')
    into parts
    from (
        select l.part, count(*) as listeners, abs(sum(l.plays)) as plays
        from (
            select audit.part_of(u, divided_by) as part, u.listener_key, sum(u.plays) as plays
            from audit.unpublished_play as u
            where u.artist_key = of_artist_key and u.week_start < before_week
            group by 1, 2
            having sum(u.plays) <> 0
        ) as l
        where l.part is not null
        group by l.part
        having audit.is_publishable(array_agg(l.plays))
    ) as p;

    loop
        select array_agg(l.plays)
        into nameless
        from (
            select sum(u.plays) as plays
            from audit.unpublished_play as u
            where u.artist_key = of_artist_key
                and u.week_start < before_week
                and coalesce(audit.part_of(u, divided_by) <> all (parts), true)
            group by u.listener_key
            having sum(u.plays) <> 0
        ) as l;
        failing := '{}';
        if takes_back then
            failing := array(select audit.unpublishable_parts(of_artist_key, before_week, divided_by, parts));
        end if;
        if nameless is not null and not audit.is_publishable(nameless) then
            failing := array_append(failing, '');
        end if;
        exit when failing = '{}';
        if parts = '{}' then
            return null;
        end if;
        parts := array(
            select p.part
            from unnest(parts) with ordinality as p (part, place)
            where p.part <> all (failing)
            order by p.place
        );
        if '' = any (failing) then
            parts := parts[1:cardinality(parts) - held_back];
            held_back := held_back * 2;
        end if;
    end loop;
    return parts;
end
$$;

comment on function audit.publishable_parts is 'The weeks, countries or recordings of a batch that are published under their names; NULL if the batch must wait. Without a dimension to divide it by, the batch has no parts.';
