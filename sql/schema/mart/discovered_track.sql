create table mart.discovered_track (
    distance double precision not null,
    listener_key integer not null,
    recording_key integer not null,
    rank smallint not null,
    audio_features_type smallint not null,
    constraint discovered_track_pkey primary key (listener_key, rank)
);

comment on table mart.discovered_track is 'Recordings near a user''s taste that the user has not played.';
comment on column mart.discovered_track.distance is 'From the user''s taste in that cluster, in standard deviations.';
comment on column mart.discovered_track.listener_key is 'The user, as mart.listener has it.';
comment on column mart.discovered_track.recording_key is 'The recording.';
comment on column mart.discovered_track.rank is '1 for the nearest; of equals the smallest key comes first.';
comment on column mart.discovered_track.audio_features_type is 'The cluster of the user''s taste that it is near to.';
