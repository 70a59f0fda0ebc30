create table mart.item_year (
    item_key integer not null,
    kind mart.counted_kind not null,
    year smallint not null,
    place_keys integer[] not null,
    play_millionths bigint[] not null,
    constraint item_year_pkey primary key (kind, item_key, year)
);

comment on table mart.item_year is 'How often an item was played in a year, by place: arrays in the order of place_keys.';
comment on column mart.item_year.item_key is 'recording_key, artist_key or genre_key.';
comment on column mart.item_year.kind is 'recording, artist or genre.';
comment on column mart.item_year.year is 'The year, on the users'' calendars.';
comment on column mart.item_year.place_keys is 'The places, as mart.context_place has them.';
comment on column mart.item_year.play_millionths is 'Plays at each place in millionths: a play counts for a genre by its weight.';
