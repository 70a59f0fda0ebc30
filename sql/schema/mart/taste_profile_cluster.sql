create view mart.taste_profile_cluster as
select
    l.user_id,
    p.scope,
    p.audio_features_type,
    p.audio_cluster_name,
    p.entries,
    p.share
from mart.profile_cluster as p
inner join mart.listener as l on l.listener_key = p.subject_key
where p.scope in ('plays', 'playlists');

comment on view mart.taste_profile_cluster is 'The audio clusters of a user''s plays and playlists.';
comment on column mart.taste_profile_cluster.user_id is 'The user.';
comment on column mart.taste_profile_cluster.scope is 'plays, or playlists: all that the user owns, a recording counting once a playlist.';
comment on column mart.taste_profile_cluster.audio_features_type is 'The cluster.';
comment on column mart.taste_profile_cluster.audio_cluster_name is 'Its name.';
comment on column mart.taste_profile_cluster.entries is 'Plays, or recordings of playlists, of the cluster.';
comment on column mart.taste_profile_cluster.share is 'Their fraction of those that are in a cluster.';
