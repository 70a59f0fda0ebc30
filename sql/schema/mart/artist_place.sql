create table mart.artist_place (
    artist_key integer not null,
    place double precision not null,
    constraint artist_place_pkey primary key (artist_key)
);

comment on table mart.artist_place is 'Where an artist''s popularity lies among all artists. Kept between builds: renewed, for its listeners, once it has moved by more than 0.05.';
comment on column mart.artist_place.artist_key is 'The artist.';
comment on column mart.artist_place.place is '0 for the least popular artist, 1 for the most popular one.';
