create table mart.playlist_bin (
    playlist_key integer not null,
    attribute_number smallint not null,
    bin smallint not null,
    tracks integer not null,
    total bigint not null,
    square_total bigint not null,
    constraint playlist_bin_pkey primary key (playlist_key, attribute_number, bin)
);

comment on table mart.playlist_bin is 'A playlist''s recordings by an audio feature.';
comment on column mart.playlist_bin.playlist_key is 'The playlist.';
comment on column mart.playlist_bin.attribute_number is 'The audio feature, as mart.attribute numbers them.';
comment on column mart.playlist_bin.bin is 'From 1 to 20, between the bounds of mart.attribute.';
comment on column mart.playlist_bin.tracks is 'Recordings in the bin.';
comment on column mart.playlist_bin.total is 'Sum of their values, in steps.';
comment on column mart.playlist_bin.square_total is 'Sum of the squares of these.';
