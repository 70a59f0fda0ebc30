create table mart.playlist_figure (
    playlist_key integer not null,
    tracks integer not null,
    featured_tracks integer not null,
    dated_tracks integer not null,
    newness_total bigint not null,
    constraint playlist_figure_pkey primary key (playlist_key)
);

create table mart.playlist_bin (
    playlist_key integer not null,
    attribute_number smallint not null,
    bin smallint not null,
    tracks integer not null,
    total bigint not null,
    square_total bigint not null,
    constraint playlist_bin_pkey primary key (playlist_key, attribute_number, bin)
);

create table mart.playlist_cluster (
    playlist_key integer not null,
    audio_features_type smallint not null,
    tracks integer not null,
    constraint playlist_cluster_pkey primary key (playlist_key, audio_features_type)
);

comment on table mart.playlist_figure is 'The recordings that a playlist has now.';
comment on column mart.playlist_figure.playlist_key is 'The playlist.';
comment on column mart.playlist_figure.tracks is 'Recordings in it, each once.';
comment on column mart.playlist_figure.featured_tracks is 'Those of which an audio feature is known.';
comment on column mart.playlist_figure.dated_tracks is 'Those with a newness score.';
comment on column mart.playlist_figure.newness_total is 'Sum of the newness scores, in millionths.';
comment on table mart.playlist_bin is 'A playlist''s recordings by an audio feature.';
comment on column mart.playlist_bin.playlist_key is 'The playlist.';
comment on column mart.playlist_bin.attribute_number is 'The audio feature, as mart.attribute numbers them.';
comment on column mart.playlist_bin.bin is 'From 1 to 20, between the bounds of mart.attribute.';
comment on column mart.playlist_bin.tracks is 'Recordings in the bin.';
comment on column mart.playlist_bin.total is 'Sum of their values, in steps.';
comment on column mart.playlist_bin.square_total is 'Sum of the squares of these.';
comment on table mart.playlist_cluster is 'A playlist''s recordings by audio cluster.';
comment on column mart.playlist_cluster.playlist_key is 'The playlist.';
comment on column mart.playlist_cluster.audio_features_type is 'The cluster.';
comment on column mart.playlist_cluster.tracks is 'Its recordings in the playlist.';
