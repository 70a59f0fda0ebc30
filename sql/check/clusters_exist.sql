-- A track is in a cluster that the fit does not have.
select n.audio_features_type, n.track_count
from (
    select audio_features_type, count(*) as track_count
    from staging.dim_track
    where audio_features_type is not null
    group by audio_features_type
) as n
where not exists (select from staging.dim_audio_cluster as s where s.audio_features_type = n.audio_features_type)
    and not exists (
        select
        from warehouse.dim_audio_cluster as t
        where t.audio_features_type = n.audio_features_type
            and not exists (select from staging.dim_audio_cluster)
    )
