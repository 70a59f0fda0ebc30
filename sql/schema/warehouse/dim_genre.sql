create table warehouse.dim_genre (
    genre_key integer not null,
    genre text collate "C" not null,
    constraint dim_genre_pkey primary key (genre_key),
    constraint dim_genre_genre_key unique (genre)
);

comment on table warehouse.dim_genre is 'A genre.';
comment on column warehouse.dim_genre.genre_key is 'Surrogate key; 0 is "not applicable", -1 "unknown".';
comment on column warehouse.dim_genre.genre is 'The genre''s name.';

insert into warehouse.dim_genre (genre_key, genre) values (0, 'not applicable'), (-1, 'unknown');
