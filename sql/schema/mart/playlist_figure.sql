create table mart.playlist_figure (
    playlist_key integer not null,
    tracks integer not null,
    featured_tracks integer not null,
    dated_tracks integer not null,
    newness_total bigint not null,
    constraint playlist_figure_pkey primary key (playlist_key)
);

comment on table mart.playlist_figure is 'The recordings that a playlist has now.';
comment on column mart.playlist_figure.playlist_key is 'The playlist.';
comment on column mart.playlist_figure.tracks is 'Recordings in it, each once.';
comment on column mart.playlist_figure.featured_tracks is 'Those with at least one known audio feature.';
comment on column mart.playlist_figure.dated_tracks is 'Those with a newness score.';
comment on column mart.playlist_figure.newness_total is 'Sum of the newness scores, in millionths.';
