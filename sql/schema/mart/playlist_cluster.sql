create table mart.playlist_cluster (
    playlist_key integer not null,
    audio_features_type smallint not null,
    tracks integer not null,
    constraint playlist_cluster_pkey primary key (playlist_key, audio_features_type)
);

comment on table mart.playlist_cluster is 'A playlist''s recordings by audio cluster.';
comment on column mart.playlist_cluster.playlist_key is 'The playlist.';
comment on column mart.playlist_cluster.audio_features_type is 'The cluster.';
comment on column mart.playlist_cluster.tracks is 'Its recordings in the playlist.';
