-- Genres cost a look-up for each track. Those of whole months are counted already, so that only the plays of months
-- that the period cuts are looked up.
create function mart.period_genre(user_id text, first_date date, last_date date)
returns table (genre_key integer, play_millionths bigint, ms_millionths bigint)
language sql
stable parallel safe
as $$
    with month as (
        select
            case when m.first_month < m.end_month then m.first_month else period_genre.last_date + 1 end as first_month,
            case when m.first_month < m.end_month then m.end_month else period_genre.last_date + 1 end as end_month
        from (
            select
                (date_trunc('month', (period_genre.first_date - 1)::timestamp) + interval '1 month')::date
                    as first_month,
                date_trunc('month', (period_genre.last_date + 1)::timestamp)::date as end_month
        ) as m
    ),

    cut_track as (
        select p.track_key, count(*) as plays, sum(p.ms_played) as ms_played
        from month as m
        cross join lateral (
            values (period_genre.first_date, m.first_month - 1), (m.end_month, period_genre.last_date)
        ) as c (first_date, last_date)
        cross join lateral mart.period_play(period_genre.user_id, c.first_date, c.last_date) as p
        where p.track_key > 0
        group by p.track_key
    ),

    counted as (
        select i.genre_key, i.play_millionths, i.ms_millionths
        from month as m
        inner join mart.listener_count as c
            on c.listener_key = (
                select l.listener_key from mart.listener as l where l.user_id = period_genre.user_id
            )
            and c.kind = 'genre'
            and c.month_start >= m.first_month
            and c.month_start < m.end_month
        cross join lateral unnest(c.item_keys, c.play_millionths, c.ms_millionths)
            as i (genre_key, play_millionths, ms_millionths)
        union all
        select g.genre_key, t.plays * g.weight_millionths, t.ms_played * g.weight_millionths
        from cut_track as t
        inner join mart.counted_track_genre as g on g.track_key = t.track_key
    )

    select c.genre_key, sum(c.play_millionths)::bigint, sum(c.ms_millionths)::bigint
    from counted as c
    group by c.genre_key
$$;

comment on function mart.period_genre is 'How much a user played of each genre from first_date to last_date, both included, on the user''s calendar: millionths of plays and of milliseconds, by the weights of the tracks'' genres.';
