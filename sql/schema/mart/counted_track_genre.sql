create table mart.counted_track_genre (
    track_key integer not null,
    genre_key integer not null,
    weight_millionths integer not null,
    constraint counted_track_genre_pkey primary key (track_key, genre_key)
);

comment on table mart.counted_track_genre is 'The same of their genres.';
comment on column mart.counted_track_genre.track_key is 'The track.';
comment on column mart.counted_track_genre.genre_key is 'A genre of the track.';
comment on column mart.counted_track_genre.weight_millionths is 'Its weight in millionths: sums of whole numbers are the same in every order.';
