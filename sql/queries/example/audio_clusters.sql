-- Which audio clusters are there, how large is each, and which of its recordings is the most popular?
select
    cluster.audio_features_type,
    cluster.name,
    cluster.size as recordings,
    best.name as most_popular,
    best.popularity
from warehouse.dim_audio_cluster as cluster
left join lateral (
    select track.name, track.popularity
    from warehouse.dim_track as track
    where track.audio_features_type = cluster.audio_features_type
    order by track.popularity desc nulls last, track.track_id
    limit 1
) as best on true
order by cluster.audio_features_type;
