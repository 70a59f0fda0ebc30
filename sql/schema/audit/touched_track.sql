create table audit.touched_track (
    track_key integer not null,
    constraint touched_track_pkey primary key (track_key)
);

comment on table audit.touched_track is
'Tracks whose recording, genres, audio features, cluster, newness or release date have changed since the marts were built.';
comment on column audit.touched_track.track_key is 'The track.';
