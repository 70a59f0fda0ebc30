create view mart.my_playlist_profile_cluster with (security_barrier) as
select m.*
from mart.playlist_profile_cluster as m
where m.owner_id = (select s.owner_id from audit.signed_in as s)
    or m.playlist_id in (
        select w.playlist_id
        from audit.playlist_request as w
        inner join audit.signed_in as s on s.user_id = w.user_id
        where w.read_at is not null
    );

comment on view mart.my_playlist_profile_cluster is 'The audio clusters of these playlists.';
comment on column mart.my_playlist_profile_cluster.playlist_key is 'The playlist.';
comment on column mart.my_playlist_profile_cluster.playlist_id is 'Its id.';
comment on column mart.my_playlist_profile_cluster.playlist is 'Its name.';
comment on column mart.my_playlist_profile_cluster.owner_id is 'The user who owns it; NULL if no API gave it.';
comment on column mart.my_playlist_profile_cluster.audio_features_type is 'The cluster.';
comment on column mart.my_playlist_profile_cluster.audio_cluster_name is 'Its name.';
comment on column mart.my_playlist_profile_cluster.tracks is 'Recordings of the cluster.';
comment on column mart.my_playlist_profile_cluster.share is 'Their fraction of those that are in a cluster.';
