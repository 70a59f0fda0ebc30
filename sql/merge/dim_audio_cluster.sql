-- A new fit replaces the old one completely.
delete from warehouse.dim_audio_cluster as t
where exists (select from staging.dim_audio_cluster)
    and not exists (
        select from staging.dim_audio_cluster as s where s.audio_features_type = t.audio_features_type
    );

create temporary table cluster_size on commit drop as
select audio_features_type, count(*) as size
from (
    select distinct audio_features_type, recording_key
    from warehouse.dim_track
    where audio_features_type is not null
) as recording
group by audio_features_type;

update warehouse.dim_audio_cluster as t
set name = s.name,
    danceability = s.danceability,
    energy = s.energy,
    loudness = s.loudness,
    speechiness = s.speechiness,
    acousticness = s.acousticness,
    instrumentalness = s.instrumentalness,
    liveness = s.liveness,
    valence = s.valence,
    tempo = s.tempo,
    inertia = s.inertia,
    fitted_at = s.fitted_at
from staging.dim_audio_cluster as s
where t.audio_features_type = s.audio_features_type
    and (
        t.name, t.danceability, t.energy, t.loudness, t.speechiness, t.acousticness, t.instrumentalness,
        t.liveness, t.valence, t.tempo, t.inertia, t.fitted_at
    ) is distinct from (
        s.name, s.danceability, s.energy, s.loudness, s.speechiness, s.acousticness, s.instrumentalness,
        s.liveness, s.valence, s.tempo, s.inertia, s.fitted_at
    );

insert into warehouse.dim_audio_cluster (
    audio_features_type, name, size, danceability, energy, loudness, speechiness, acousticness, instrumentalness,
    liveness, valence, tempo, inertia, fitted_at
)
select
    s.audio_features_type, s.name, coalesce(c.size, 0), s.danceability, s.energy, s.loudness, s.speechiness,
    s.acousticness, s.instrumentalness, s.liveness, s.valence, s.tempo, s.inertia, s.fitted_at
from staging.dim_audio_cluster as s
left join cluster_size as c on c.audio_features_type = s.audio_features_type
where not exists (
    select from warehouse.dim_audio_cluster as t where t.audio_features_type = s.audio_features_type
)
order by s.audio_features_type;

update warehouse.dim_audio_cluster as t
set size = coalesce(c.size, 0)
from warehouse.dim_audio_cluster as d
left join cluster_size as c on c.audio_features_type = d.audio_features_type
where d.audio_features_type = t.audio_features_type and t.size <> coalesce(c.size, 0);
