create table mart.listener_cluster (
    listener_key integer not null,
    audio_features_type smallint not null,
    plays bigint not null,
    totals bigint[] not null,
    constraint listener_cluster_pkey primary key (listener_key, audio_features_type)
);

comment on table mart.listener_cluster is 'A user''s plays by audio cluster.';
comment on column mart.listener_cluster.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_cluster.audio_features_type is 'The cluster.';
comment on column mart.listener_cluster.plays is 'Plays of its recordings.';
comment on column mart.listener_cluster.totals is 'Sum of the audio features over these plays by attribute_number, in steps.';
