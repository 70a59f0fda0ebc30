create view mart.my_taste_profile_cluster with (security_barrier) as
select m.*
from mart.taste_profile_cluster as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_taste_profile_cluster is 'The audio clusters of your plays and your playlists.';
comment on column mart.my_taste_profile_cluster.user_id is 'The user.';
comment on column mart.my_taste_profile_cluster.scope is 'plays, or playlists: all that the user owns, a recording counting once a playlist.';
comment on column mart.my_taste_profile_cluster.audio_features_type is 'The cluster.';
comment on column mart.my_taste_profile_cluster.audio_cluster_name is 'Its name.';
comment on column mart.my_taste_profile_cluster.entries is 'Plays, or recordings of playlists, of the cluster.';
comment on column mart.my_taste_profile_cluster.share is 'Their fraction of those that are in a cluster.';
