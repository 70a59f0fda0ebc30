create table mart.audio_point (
    recording_key integer not null,
    track_key integer,
    newness_millionths integer,
    audio_features_type smallint,
    is_excluded boolean not null,
    steps integer [],
    constraint audio_point_pkey primary key (recording_key)
);

create index audio_point_track_key_idx on mart.audio_point (track_key);
create index audio_point_is_excluded_idx on mart.audio_point (recording_key) where is_excluded;

comment on table mart.audio_point is 'A recording''s audio features as the profiles have counted them.';
comment on column mart.audio_point.recording_key is 'The recording.';
comment on column mart.audio_point.track_key is 'Whose audio features these are: the smallest track_key of the recording that has any.';
comment on column mart.audio_point.newness_millionths is 'newness_score of the recording''s smallest track_key, in millionths.';
comment on column mart.audio_point.audio_features_type is 'The audio cluster of track_key.';
comment on column mart.audio_point.is_excluded is 'Whether an id or an artist of the recording is excluded: then no playlist''s profile counts it and nobody is led to it.';
comment on column mart.audio_point.steps is 'The audio features by attribute_number, each as a whole number of steps; NULL where none is known.';

create table mart.counted_catalogue (
    last_track_key integer not null,
    fit_id text collate "C",
    dated_recordings bigint not null,
    newness_total bigint not null,
    newness_square_total numeric not null
);

create unique index counted_catalogue_is_one on mart.counted_catalogue ((true));

comment on table mart.counted_catalogue is 'What the profiles were built with of the catalogue, one row.';
comment on column mart.counted_catalogue.last_track_key is 'Tracks with a greater key are new to them.';
comment on column mart.counted_catalogue.fit_id is 'The fit of the audio clusters that distances are measured by; NULL where there was none.';
comment on column mart.counted_catalogue.dated_recordings is 'Recordings with a newness score.';
comment on column mart.counted_catalogue.newness_total is 'Sum of their newness scores, in millionths.';
comment on column mart.counted_catalogue.newness_square_total is 'Sum of the squares of these.';
