create table mart.listener_taste (
    listener_key integer not null,
    taste_rank smallint not null,
    audio_features_type smallint not null,
    plays bigint not null,
    position double precision[] not null,
    cell smallint[] not null,
    constraint listener_taste_pkey primary key (listener_key, taste_rank)
);

create index listener_taste_cell_idx on mart.listener_taste (audio_features_type, cell);

comment on table mart.listener_taste is 'The three audio clusters that a user plays most, and the mean position in each.';
comment on column mart.listener_taste.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_taste.taste_rank is '1 for the cluster played most; of equals the smallest number comes first.';
comment on column mart.listener_taste.audio_features_type is 'The cluster.';
comment on column mart.listener_taste.plays is 'Plays of its recordings.';
comment on column mart.listener_taste.position is 'Mean of the audio features over these plays, in standard deviations from the catalogue''s mean.';
comment on column mart.listener_taste.cell is 'The position in whole deviations: users of one cell look for tracks in one pool.';
