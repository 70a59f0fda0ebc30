create table mart.counted_track (
    track_key integer not null,
    recording_key integer not null,
    audio_features_type smallint,
    constraint counted_track_pkey primary key (track_key)
);

create table mart.counted_track_genre (
    track_key integer not null,
    genre_key integer not null,
    weight_millionths integer not null,
    constraint counted_track_genre_pkey primary key (track_key, genre_key)
);

comment on table mart.counted_track is 'What the marts were built with of the tracks that were played: so much is taken back when it changes.';
comment on column mart.counted_track.track_key is 'The track.';
comment on column mart.counted_track.recording_key is 'Its recording.';
comment on column mart.counted_track.audio_features_type is 'Its audio cluster.';
comment on table mart.counted_track_genre is 'The same of their genres.';
comment on column mart.counted_track_genre.track_key is 'The track.';
comment on column mart.counted_track_genre.genre_key is 'A genre of the track.';
comment on column mart.counted_track_genre.weight_millionths is 'Its weight in millionths: sums of whole numbers are the same in every order.';
