create table mart.discovery_pool (
    audio_features_type smallint not null,
    cell smallint[] not null,
    recording_key integer not null,
    position double precision[] not null,
    constraint discovery_pool_pkey primary key (audio_features_type, cell, recording_key)
);

create index discovery_pool_recording_key_idx on mart.discovery_pool (recording_key);

comment on table mart.discovery_pool is 'The recordings of a cluster that lie nearest to the middle of a cell.';
comment on column mart.discovery_pool.audio_features_type is 'The cluster.';
comment on column mart.discovery_pool.cell is 'The middle of the cell.';
comment on column mart.discovery_pool.recording_key is 'The recording.';
comment on column mart.discovery_pool.position is 'Its audio features, in standard deviations from the catalogue''s mean.';
