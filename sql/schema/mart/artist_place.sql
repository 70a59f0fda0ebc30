create table mart.artist_place (
    artist_key integer not null,
    place double precision not null,
    constraint artist_place_pkey primary key (artist_key)
);

comment on table mart.artist_place is 'The rank of an artist''s popularity among all artists. Stored between builds: updated, for its listeners, once it has moved by more than 0.05.';
comment on column mart.artist_place.artist_key is 'The artist.';
comment on column mart.artist_place.place is '0 for the least popular artist, 1 for the most popular one.';
