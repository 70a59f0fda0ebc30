create table mart.artist_track (
    artist_key integer not null,
    recording_key integer not null,
    ms_played bigint not null,
    plays integer not null,
    constraint artist_track_pkey primary key (artist_key, recording_key)
);

comment on table mart.artist_track is 'How often the recordings of an artist were played, over all time.';
comment on column mart.artist_track.artist_key is 'The artist that the plays name.';
comment on column mart.artist_track.recording_key is 'The recording.';
comment on column mart.artist_track.ms_played is 'How long the plays were heard, ms.';
comment on column mart.artist_track.plays is 'Number of plays.';
