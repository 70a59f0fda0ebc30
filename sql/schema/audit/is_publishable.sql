-- What an artist may be shown is decided here, once for each play, while the marts are built: whoever reads an artist's
-- views reads published numbers only, so neither cost nor plan of a query depends on what is hidden.  An artist's plays
-- are published in batches. A batch is divided by week, by country and by recording, and each part of it is published
-- under its name or, with all other parts that are not, without a name. Every such number is of a publishable group.
-- Batches have no play in common and are never revised, so every difference of numbers shown on two days is a sum of
-- publishable groups, too.

-- The one place that says which groups are published. Five people at least; and p %-rule (Hundepool et al., Statistical
-- Disclosure Control, 2012, chapter 4): without its two largest contributors a group has p percent of the largest one's
-- contribution at least, so that the second largest cannot know the largest to within p percent. Here p is 20.
create function audit.is_publishable(contributions bigint[]) returns boolean
language sql
immutable
set search_path = pg_catalog
as $$
    select count(*) >= 5 and coalesce(sum(c.size) filter (where c.place > 2), 0) * 100 >= 20 * max(c.size)
    from (
        select abs(u.plays) as size, row_number() over (order by abs(u.plays) desc) as place
        from unnest(contributions) as u (plays)
        where u.plays <> 0
    ) as c
$$;

comment on function audit.is_publishable is 'Whether a group is shown to an artist, by the number of plays of each of its listeners: five listeners or more, of whom no two have nearly all plays.';
