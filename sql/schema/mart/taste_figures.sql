create function mart.taste_figures(user_id text, year integer)
returns table (
    plays bigint,
    minutes_played bigint,
    tracks bigint,
    artists bigint,
    new_artists bigint,
    earlier_plays bigint,
    top_artist text,
    top_artist_plays bigint,
    artists_at_top bigint,
    top_genre text,
    top_genre_share double precision,
    genres_at_top bigint,
    earlier_top_genre_share double precision,
    top_cluster text,
    top_cluster_share double precision,
    clusters_at_top bigint,
    catalogue_cluster_share double precision,
    plays_by_hour bigint[],
    featured_plays bigint,
    distances double precision[],
    earlier_featured_plays bigint,
    earlier_distances double precision[]
)
language sql
stable parallel safe
as $$
    with listener as materialized (
        select l.listener_key from mart.listener as l where l.user_id = taste_figures.user_id
    ),

    counted as materialized (
        select c.kind, c.item_key, c.year = taste_figures.year as is_now, c.play_millionths
        from mart.listener_year_count as c
        where c.listener_key = (select l.listener_key from listener as l)
            and c.year in (taste_figures.year, taste_figures.year - 1)
    ),

    total as (
        select c.kind, c.is_now, sum(c.play_millionths) as play_millionths from counted as c group by c.kind, c.is_now
    ),

    -- The first of each kind, of equals the smallest key, and how many are equal to it.
    leader as (
        select distinct on (c.kind)
            c.kind, c.item_key, c.play_millionths, t.play_millionths as total_millionths,
            count(*) over (partition by c.kind, c.play_millionths) as equals
        from counted as c
        inner join total as t on t.kind = c.kind and t.is_now
        where c.is_now and c.kind in ('artist', 'genre', 'audio_cluster')
        order by c.kind, c.play_millionths desc, c.item_key
    ),

    by_hour as (
        select array_agg(coalesce(c.play_millionths / 1000000, 0) order by h.hour) as plays
        from generate_series(0, 23) as h (hour)
        left join counted as c on c.is_now and c.kind = 'hour' and c.item_key = h.hour
    ),

    recording as (
        select c.is_now, c.play_millionths / 1000000 as plays, p.steps
        from counted as c
        inner join mart.audio_point as p on p.recording_key = c.item_key
        where c.kind = 'recording' and num_nonnulls(variadic p.steps) > 0
    ),

    sound as (
        select r.is_now, s.attribute_number, sum(r.plays * s.steps) / sum(r.plays) / max(a.steps_per_one) as mean
        from recording as r
        cross join lateral unnest(r.steps) with ordinality as s (steps, attribute_number)
        inner join mart.attribute as a on a.attribute_number = s.attribute_number
        where s.steps is not null
        group by r.is_now, s.attribute_number
    ),

    described as (
        select
            n.is_now,
            (select sum(r.plays)::bigint from recording as r where r.is_now = n.is_now) as plays,
            array_agg(
                (s.mean - c.means[a.attribute_number]) / nullif(c.deviations[a.attribute_number], 0)
                order by a.attribute_number
            ) as distances
        from (values (true), (false)) as n (is_now)
        cross join mart.attribute as a
        left join mart.audio_scale as c on true
        left join sound as s on s.is_now = n.is_now and s.attribute_number = a.attribute_number
        group by n.is_now
    )

    select
        y.plays::bigint,
        y.ms_played / 60000,
        y.tracks::bigint,
        y.artists::bigint,
        y.new_artists::bigint,
        coalesce(e.plays, 0)::bigint,
        n.name,
        (a.play_millionths / 1000000)::bigint,
        a.equals,
        r.genre,
        (g.play_millionths / nullif(g.total_millionths, 0))::double precision,
        g.equals,
        (
            select
                coalesce(sum(c.play_millionths) filter (where c.item_key = g.item_key), 0)
                / nullif(sum(c.play_millionths), 0)
            from counted as c
            where c.kind = 'genre' and not c.is_now
        )::double precision,
        d.name,
        (k.play_millionths / nullif(k.total_millionths, 0))::double precision,
        k.equals,
        d.size / (select nullif(sum(o.size), 0) from warehouse.dim_audio_cluster as o)::double precision,
        h.plays,
        coalesce(w.plays, 0),
        w.distances,
        coalesce(f.plays, 0),
        f.distances
    from mart.listener_year as y
    cross join by_hour as h
    inner join described as w on w.is_now
    inner join described as f on not f.is_now
    left join mart.listener_year as e on e.listener_key = y.listener_key and e.year = taste_figures.year - 1
    left join leader as a on a.kind = 'artist'
    left join warehouse.dim_artist as n on n.artist_key = a.item_key
    left join leader as g on g.kind = 'genre'
    left join warehouse.dim_genre as r on r.genre_key = g.item_key
    left join leader as k on k.kind = 'audio_cluster'
    left join warehouse.dim_audio_cluster as d on d.audio_features_type = k.item_key
    where y.listener_key = (select l.listener_key from listener as l)
        and y.year = taste_figures.year
        and taste_figures.year > 0
$$;

comment on function mart.taste_figures is 'The figures of a user''s taste in a year, one row; none without plays. earlier_… are those of the year before. Shares are fractions of the plays with a genre, or in an audio cluster; catalogue_cluster_share is the cluster''s fraction of the catalogue''s recordings; …_at_top counts the equal first ones; distances are those of mean audio features from the catalogue''s, in standard deviations by attribute_number.';
