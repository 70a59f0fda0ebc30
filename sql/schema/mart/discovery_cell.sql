create table mart.discovery_cell (
    audio_features_type smallint not null,
    cell smallint[] not null,
    recordings integer not null,
    reach double precision not null,
    constraint discovery_cell_pkey primary key (audio_features_type, cell)
);

comment on table mart.discovery_cell is 'A cell of a cluster in which a user''s taste lies.';
comment on column mart.discovery_cell.audio_features_type is 'The cluster.';
comment on column mart.discovery_cell.cell is 'Its middle, in deviations from the catalogue''s mean.';
comment on column mart.discovery_cell.recordings is 'Recordings in its pool, 300 at most.';
comment on column mart.discovery_cell.reach is 'Distance of the farthest of them from the middle of the cell.';
