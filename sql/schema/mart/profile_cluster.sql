create view mart.profile_cluster as
with told as (
    select 'playlist' as scope, playlist_key as subject_key, audio_features_type, tracks::bigint as entries
    from mart.playlist_cluster
    union all
    select 'plays', listener_key, audio_features_type, plays from mart.listener_cluster
    union all
    select 'playlists', o.listener_key, c.audio_features_type, sum(c.tracks)::bigint
    from mart.playlist_owner as o
    inner join mart.playlist_cluster as c on c.playlist_key = o.playlist_key
    group by o.listener_key, c.audio_features_type
)

select
    t.scope,
    t.subject_key,
    t.audio_features_type,
    k.name as audio_cluster_name,
    t.entries,
    (t.entries / sum(t.entries) over (partition by t.scope, t.subject_key))::double precision as share
from told as t
left join warehouse.dim_audio_cluster as k on k.audio_features_type = t.audio_features_type;

comment on view mart.profile_cluster is 'The same by audio cluster.';
comment on column mart.profile_cluster.scope is 'playlist, plays or playlists.';
comment on column mart.profile_cluster.subject_key is 'playlist_key, else listener_key.';
comment on column mart.profile_cluster.audio_features_type is 'The cluster.';
comment on column mart.profile_cluster.audio_cluster_name is 'Its name.';
comment on column mart.profile_cluster.entries is 'Recordings or plays of the cluster.';
comment on column mart.profile_cluster.share is 'Their fraction of those that are in a cluster.';
