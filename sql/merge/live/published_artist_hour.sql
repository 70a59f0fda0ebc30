-- A number is published only if audit.is_publishable holds for its group of plays. A division by track or by country is
-- published only if that also holds for its groups without a name taken together, or there are none: else a difference
-- of numbers would describe them. Hours have no play in common, and no hour is published again.
insert into live.published_artist_hour (hour_start, artist_id, divided_by, item_id, plays)
with play as (
    select u.hour_start, t.artist_id, u.user_id, u.track_id, u.country, sum(u.plays) as plays
    from live.user_hour as u
    inner join live.track as t on t.track_id = u.track_id
    where u.plays > 0
        and u.hour_start >= coalesce(cast(:final_from as timestamptz), '-infinity')
        and u.hour_start < :final_before
        and t.artist_id in (select l.artist_id from audit.login as l where l.artist_id is not null)
        -- A new generation counts old hours again, perhaps without a forgotten user.
        and u.hour_start > coalesce(
            (select max(p.hour_start) from live.published_artist_hour as p where p.artist_id = t.artist_id),
            '-infinity'
        )
    group by u.hour_start, t.artist_id, u.user_id, u.track_id, u.country
),

divided as (
    select p.hour_start, p.artist_id, d.divided_by, d.item_id, p.user_id, cast(sum(p.plays) as bigint) as plays
    from play as p
    cross join lateral (
        values ('nothing', ''), ('track', p.track_id), ('country', p.country)
    ) as d (divided_by, item_id)
    group by p.hour_start, p.artist_id, d.divided_by, d.item_id, p.user_id
),

item as (
    select
        d.hour_start,
        d.artist_id,
        d.divided_by,
        d.item_id,
        audit.is_publishable(array_agg(d.plays)) as is_publishable
    from divided as d
    group by d.hour_start, d.artist_id, d.divided_by, d.item_id
),

named as (
    select
        d.hour_start,
        d.artist_id,
        d.divided_by,
        case when i.is_publishable then d.item_id else '' end as item_id,
        d.user_id,
        cast(sum(d.plays) as bigint) as plays
    from divided as d
    inner join item as i using (hour_start, artist_id, divided_by, item_id)
    group by d.hour_start, d.artist_id, d.divided_by, case when i.is_publishable then d.item_id else '' end, d.user_id
),

total as (
    select
        n.hour_start,
        n.artist_id,
        n.divided_by,
        n.item_id,
        sum(n.plays) as plays,
        audit.is_publishable(array_agg(n.plays)) as is_publishable
    from named as n
    group by n.hour_start, n.artist_id, n.divided_by, n.item_id
)

select t.hour_start, t.artist_id, t.divided_by, t.item_id, cast(cast(t.plays as bigint) / 5 * 5 as integer)
from total as t
where not exists (
    select
    from total as o
    where o.hour_start = t.hour_start
        and o.artist_id = t.artist_id
        and o.divided_by = t.divided_by
        and not o.is_publishable
)
on conflict do nothing;
