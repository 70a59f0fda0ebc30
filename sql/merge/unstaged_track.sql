-- Tracks that no source reports any more stay unchanged; but newness and cluster are relative to all tracks, and follow
-- the current bounds and fit.
create temporary table unstaged_track on commit drop as
select
    t.track_key,
    t.newness_score,
    t.audio_features_type,
    extract(year from t.release_date)::integer * 12 + extract(month from t.release_date)::integer as release_month,
    array[
        t.danceability,
        t.energy,
        t.loudness,
        t.speechiness,
        t.acousticness,
        t.instrumentalness,
        t.liveness,
        t.valence,
        t.tempo
    ] as features
from warehouse.dim_track as t
where t.track_key > 0
    and (t.newness_score is not null or t.audio_features_type is not null)
    and exists (select from staging.load as l where 'dim_track' = any(l.table_names))
    and not exists (select from staging.dim_track as s where s.track_id = t.track_id);

update warehouse.dim_track as t
set newness_score = n.newness_score
from (
    select
        u.track_key,
        case
            when u.release_month >= b.newest then 1
            when u.release_month <= b.oldest then 0
            else (u.release_month - b.oldest)::double precision / (b.newest - b.oldest)
        end as newness_score
    from unstaged_track as u
    cross join (
        select
            extract(year from r.newness_oldest_month)::integer * 12
            + extract(month from r.newness_oldest_month)::integer as oldest,
            extract(year from r.newness_newest_month)::integer * 12
            + extract(month from r.newness_newest_month)::integer as newest
        from audit.run as r
        inner join staging.load as l on l.run_id = r.run_id
        where r.newness_oldest_month is not null
    ) as b
    where u.newness_score is not null
) as n
where t.track_key = n.track_key and t.newness_score is distinct from n.newness_score;

update warehouse.dim_track as t
set audio_features_type = n.audio_features_type
from unstaged_track as u
cross join lateral (
    select c.audio_features_type::smallint as audio_features_type
    from staging.dim_audio_cluster as c
    cross join staging.cluster_fit as f
    cross join lateral (
        select sum(power((p.feature - p.middle) / nullif(p.deviation, 0), 2)) as distance
        from unnest(
            u.features,
            array[
                c.danceability,
                c.energy,
                c.loudness,
                c.speechiness,
                c.acousticness,
                c.instrumentalness,
                c.liveness,
                c.valence,
                c.tempo
            ],
            f.feature_deviations
        ) as p (feature, middle, deviation)
    ) as d
    order by d.distance, c.audio_features_type
    limit 1
) as n
where
    t.track_key = u.track_key and u.audio_features_type is not null and u.audio_features_type <> n.audio_features_type;
