create table mart.counted_track (
    track_key integer not null,
    recording_key integer not null,
    audio_features_type smallint,
    release_month integer,
    constraint counted_track_pkey primary key (track_key)
);

create index counted_track_recording_key_idx on mart.counted_track (recording_key);

comment on table mart.counted_track is 'What the marts were built with of the tracks that were played: so much is taken back when it changes.';
comment on column mart.counted_track.track_key is 'The track.';
comment on column mart.counted_track.recording_key is 'Its recording.';
comment on column mart.counted_track.audio_features_type is 'Its audio cluster.';
comment on column mart.counted_track.release_month is 'Its month of release: year times 12 plus month minus 1.';
