create table mart.listener_figure (
    listener_key integer not null,
    plays bigint not null,
    featured_plays bigint not null,
    dated_plays bigint not null,
    newness_total bigint not null,
    constraint listener_figure_pkey primary key (listener_key)
);

create table mart.listener_bin (
    plays bigint not null,
    total bigint not null,
    square_total bigint not null,
    listener_key integer not null,
    attribute_number smallint not null,
    bin smallint not null,
    constraint listener_bin_pkey primary key (listener_key, attribute_number, bin)
);

create table mart.listener_cluster (
    listener_key integer not null,
    audio_features_type smallint not null,
    plays bigint not null,
    totals bigint [] not null,
    constraint listener_cluster_pkey primary key (listener_key, audio_features_type)
);

comment on table mart.listener_figure is 'What a user has played of known recordings.';
comment on column mart.listener_figure.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_figure.plays is 'Plays.';
comment on column mart.listener_figure.featured_plays is 'Those of recordings of which an audio feature is known.';
comment on column mart.listener_figure.dated_plays is 'Those of recordings with a newness score.';
comment on column mart.listener_figure.newness_total is 'Sum of the newness scores over these plays, in millionths.';
comment on table mart.listener_bin is 'A user''s plays by an audio feature.';
comment on column mart.listener_bin.plays is 'Plays in the bin.';
comment on column mart.listener_bin.total is 'Sum of their values, in steps.';
comment on column mart.listener_bin.square_total is 'Sum of the squares of these.';
comment on column mart.listener_bin.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_bin.attribute_number is 'The audio feature, as mart.attribute numbers them.';
comment on column mart.listener_bin.bin is 'From 1 to 20, between the bounds of mart.attribute.';
comment on table mart.listener_cluster is 'A user''s plays by audio cluster.';
comment on column mart.listener_cluster.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_cluster.audio_features_type is 'The cluster.';
comment on column mart.listener_cluster.plays is 'Plays of its recordings.';
comment on column mart.listener_cluster.totals is 'Sum of the audio features over these plays by attribute_number, in steps.';
