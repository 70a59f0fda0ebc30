create table mart.listener_taste (
    listener_key integer not null,
    taste_rank smallint not null,
    audio_features_type smallint not null,
    plays bigint not null,
    position double precision [] not null,
    cell smallint [] not null,
    constraint listener_taste_pkey primary key (listener_key, taste_rank)
);

create index listener_taste_cell_idx on mart.listener_taste (audio_features_type, cell);

create table mart.discovery_cell (
    audio_features_type smallint not null,
    cell smallint [] not null,
    recordings integer not null,
    reach double precision not null,
    constraint discovery_cell_pkey primary key (audio_features_type, cell)
);

create table mart.discovery_pool (
    audio_features_type smallint not null,
    cell smallint [] not null,
    recording_key integer not null,
    position double precision [] not null,
    constraint discovery_pool_pkey primary key (audio_features_type, cell, recording_key)
);

create index discovery_pool_recording_key_idx on mart.discovery_pool (recording_key);

create table mart.discovered_track (
    distance double precision not null,
    listener_key integer not null,
    recording_key integer not null,
    rank smallint not null,
    audio_features_type smallint not null,
    constraint discovered_track_pkey primary key (listener_key, rank)
);

comment on table mart.listener_taste is 'The three audio clusters that a user plays most, and where in them.';
comment on column mart.listener_taste.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_taste.taste_rank is '1 for the cluster played most; of equals the smallest number comes first.';
comment on column mart.listener_taste.audio_features_type is 'The cluster.';
comment on column mart.listener_taste.plays is 'Plays of its recordings.';
comment on column mart.listener_taste.position is 'Mean of the audio features over these plays, in standard deviations from the catalogue''s mean.';
comment on column mart.listener_taste.cell is 'The position in whole deviations: users of one cell look for tracks in one pool.';
comment on table mart.discovery_cell is 'A cell of a cluster in which a user''s taste lies.';
comment on column mart.discovery_cell.audio_features_type is 'The cluster.';
comment on column mart.discovery_cell.cell is 'Its middle, in deviations from the catalogue''s mean.';
comment on column mart.discovery_cell.recordings is 'Recordings in its pool, 300 at most.';
comment on column mart.discovery_cell.reach is 'Distance of the farthest of them from the middle of the cell.';
comment on table mart.discovery_pool is 'The recordings of a cluster that lie nearest to the middle of a cell.';
comment on column mart.discovery_pool.audio_features_type is 'The cluster.';
comment on column mart.discovery_pool.cell is 'The middle of the cell.';
comment on column mart.discovery_pool.recording_key is 'The recording.';
comment on column mart.discovery_pool.position is 'Its audio features, in standard deviations from the catalogue''s mean.';
comment on table mart.discovered_track is 'Recordings near a user''s taste that the user has not played.';
comment on column mart.discovered_track.distance is 'From the user''s taste in that cluster, in standard deviations.';
comment on column mart.discovered_track.listener_key is 'The user, as mart.listener has it.';
comment on column mart.discovered_track.recording_key is 'The recording.';
comment on column mart.discovered_track.rank is '1 for the nearest; of equals the smallest key comes first.';
comment on column mart.discovered_track.audio_features_type is 'The cluster of the user''s taste that it is near to.';
