create function mart.period_top(
    user_id text,
    first_date date,
    last_date date,
    earlier_first_date date default null,
    earlier_last_date date default null
)
returns table (
    kind text,
    rank bigint,
    item_id text,
    name text,
    artist_name text,
    plays numeric,
    ms_played bigint,
    earlier_rank bigint,
    earlier_plays numeric
)
language sql
stable parallel safe
as $$
    with play as materialized (
        select p.track_key, p.artist_key, 1 as plays, p.ms_played, 0 as earlier_plays
        from mart.period_play(period_top.user_id, period_top.first_date, period_top.last_date) as p
        union all
        select p.track_key, p.artist_key, 0, 0, 1
        from mart.period_play(period_top.user_id, period_top.earlier_first_date, period_top.earlier_last_date) as p
    ),

    -- Each track is looked up once, however often it was played, and in whichever period.
    track as materialized (
        select p.track_key, d.recording_key, d.album_key, p.plays, p.ms_played, p.earlier_plays
        from (
            select
                b.track_key, sum(b.plays)::integer as plays, sum(b.ms_played) as ms_played,
                sum(b.earlier_plays)::integer as earlier_plays
            from play as b
            where b.track_key > 0
            group by b.track_key
        ) as p
        inner join warehouse.dim_track as d on d.track_key = p.track_key
    ),

    -- Kinds are numbers, because tens of thousands of rows are sorted by them.
    counted as (
        select
            1 as kind_number, t.recording_key as item_key, sum(t.plays) * 1000000 as play_millionths,
            sum(t.ms_played)::bigint * 1000000 as ms_millionths, sum(t.earlier_plays) * 1000000 as earlier_millionths
        from track as t
        where t.recording_key > 0
        group by t.recording_key
        union all
        select
            2, t.album_key, sum(t.plays) * 1000000, sum(t.ms_played)::bigint * 1000000, sum(t.earlier_plays) * 1000000
        from track as t
        where t.album_key > 0
        group by t.album_key
        union all
        select 3, p.artist_key, sum(p.plays) * 1000000, sum(p.ms_played) * 1000000, sum(p.earlier_plays) * 1000000
        from play as p
        where p.artist_key > 0
        group by p.artist_key
        union all
        select
            4, g.genre_key, sum(t.plays * g.weight_millionths::bigint)::bigint,
            sum(t.ms_played * g.weight_millionths)::bigint, sum(t.earlier_plays * g.weight_millionths::bigint)::bigint
        from track as t
        inner join mart.counted_track_genre as g on g.track_key = t.track_key
        group by g.genre_key
    ),

    -- Shows have no key. They are ranked by time, because an episode may last minutes or hours.
    spoken as (
        select
            coalesce(s.show_name, s.spoken_name, s.spoken_id) as show, count(*) filter (where m.is_now) as plays,
            coalesce(sum(s.ms_played::bigint) filter (where m.is_now), 0)::bigint as ms_played,
            count(*) filter (where not m.is_now) as earlier_plays,
            coalesce(sum(s.ms_played::bigint) filter (where not m.is_now), 0)::bigint as earlier_ms_played
        from (
            values
            (true, period_top.first_date, period_top.last_date),
            (false, period_top.earlier_first_date, period_top.earlier_last_date)
        ) as m (is_now, first_date, last_date)
        inner join mart.spoken_play as s
            on s.event_time >= (m.first_date - 2)::timestamptz
            and s.event_time < (m.last_date + 3)::timestamptz
            and s.local_date between m.first_date and m.last_date
        where s.user_id = period_top.user_id
        group by 1
    ),

    ranked as (
        select
            c.*,
            row_number() over (partition by c.kind_number order by c.play_millionths desc, c.item_key) as rank,
            row_number() over (
                partition by c.kind_number order by c.earlier_millionths desc, c.item_key
            ) as earlier_rank
        from counted as c
    ),

    leader as materialized (
        select r.* from ranked as r where r.play_millionths > 0 and r.rank <= 100
    ),

    album_track as (
        select distinct on (t.album_key) t.album_key, t.track_key
        from track as t
        where t.album_key in (select n.item_key from leader as n where n.kind_number = 2)
        order by t.album_key, t.plays desc, t.track_key
    )

    select
        (array['track', 'album', 'artist', 'genre'])[n.kind_number],
        n.rank,
        coalesce(t.track_id, b.album_id, a.artist_id, g.genre),
        coalesce(t.name, b.name, a.name, g.genre),
        coalesce(f.name, a.name),
        n.play_millionths / 1000000::numeric,
        n.ms_millionths / 1000000,
        case when n.earlier_millionths > 0 then n.earlier_rank end,
        nullif(n.earlier_millionths, 0) / 1000000::numeric
    from leader as n
    left join warehouse.dim_track as t on n.kind_number = 1 and t.track_key = n.item_key
    left join warehouse.dim_album as b on n.kind_number = 2 and b.album_key = n.item_key
    left join warehouse.dim_artist as a on n.kind_number = 3 and a.artist_key = n.item_key
    left join warehouse.dim_genre as g on n.kind_number = 4 and g.genre_key = n.item_key
    left join album_track as h on n.kind_number = 2 and h.album_key = n.item_key
    left join lateral (
        select r.name
        from warehouse.bridge_track_artist as k
        inner join warehouse.dim_artist as r on r.artist_key = k.artist_key
        where k.track_key = coalesce(t.track_key, h.track_key)
        order by k.position
        limit 1
    ) as f on true
    union all
    select 'show', r.rank, r.show, r.show, null, r.plays, r.ms_played, r.earlier_rank, nullif(r.earlier_plays, 0)
    from (
        select
            s.*,
            row_number() over (order by s.ms_played desc, s.plays desc, s.show collate "C") as rank,
            case
                when s.earlier_plays > 0
                    then row_number() over (
                        order by s.earlier_ms_played desc, s.earlier_plays desc, s.show collate "C"
                    )
            end as earlier_rank
        from spoken as s
    ) as r
    where r.plays > 0 and r.rank <= 100
    order by 1, 2
$$;

comment on function mart.period_top is 'The hundred tracks, albums, artists, genres and shows that a user played most from first_date to last_date, both included, with rank and plays in an earlier period, NULL if not played then. By plays, of equals the smallest key first; shows by the time heard. The artist of an album is the first one of its most played track.';
