create table mart.listener_bin (
    total bigint not null,
    square_total bigint not null,
    listener_key integer not null,
    attribute_number smallint not null,
    bins smallint[] not null,
    plays bigint[] not null,
    constraint listener_bin_pkey primary key (listener_key, attribute_number)
);

comment on table mart.listener_bin is 'A user''s plays by an audio feature: arrays in the order of the bins that have any.';
comment on column mart.listener_bin.total is 'Sum of their values, in steps.';
comment on column mart.listener_bin.square_total is 'Sum of the squares of these.';
comment on column mart.listener_bin.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_bin.attribute_number is 'The audio feature, as mart.attribute numbers them.';
comment on column mart.listener_bin.bins is 'From 1 to 20, between the bounds of mart.attribute.';
comment on column mart.listener_bin.plays is 'Plays of recordings in each bin.';
