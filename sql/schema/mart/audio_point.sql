create table mart.audio_point (
    recording_key integer not null,
    track_key integer,
    newness_millionths integer,
    audio_features_type smallint,
    is_excluded boolean not null,
    steps integer[],
    constraint audio_point_pkey primary key (recording_key)
);

create index audio_point_track_key_idx on mart.audio_point (track_key);
create index audio_point_is_excluded_idx on mart.audio_point (recording_key) where is_excluded;

comment on table mart.audio_point is 'A recording''s audio features as the profiles have counted them.';
comment on column mart.audio_point.recording_key is 'The recording.';
comment on column mart.audio_point.track_key is 'Whose audio features these are: the smallest track_key of the recording that has any.';
comment on column mart.audio_point.newness_millionths is 'newness_score of the recording''s smallest track_key, in millionths.';
comment on column mart.audio_point.audio_features_type is 'The audio cluster of track_key.';
comment on column mart.audio_point.is_excluded is 'Whether an id or an artist of the recording is excluded: then no playlist''s profile counts it and no user discovers it.';
comment on column mart.audio_point.steps is 'The audio features by attribute_number, each as a whole number of steps; NULL if none is known.';
