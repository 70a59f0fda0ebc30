create view mart.playlist_profile_cluster as
select
    l.playlist_key,
    l.playlist_id,
    l.name as playlist,
    l.owner_id,
    p.audio_features_type,
    p.audio_cluster_name,
    p.entries as tracks,
    p.share
from mart.profile_cluster as p
inner join warehouse.dim_playlist as l on l.playlist_key = p.subject_key
where p.scope = 'playlist'
    and not exists (select from warehouse.exclusion as x where x.kind = 'user' and x.id = l.owner_id);

comment on view mart.playlist_profile_cluster is 'The audio clusters of a playlist.';
comment on column mart.playlist_profile_cluster.playlist_key is 'The playlist.';
comment on column mart.playlist_profile_cluster.playlist_id is 'Its id.';
comment on column mart.playlist_profile_cluster.playlist is 'Its name.';
comment on column mart.playlist_profile_cluster.owner_id is 'The user who owns it; NULL if no API gave it.';
comment on column mart.playlist_profile_cluster.audio_features_type is 'The cluster.';
comment on column mart.playlist_profile_cluster.audio_cluster_name is 'Its name.';
comment on column mart.playlist_profile_cluster.tracks is 'Recordings of the cluster.';
comment on column mart.playlist_profile_cluster.share is 'Their fraction of those that are in a cluster.';
