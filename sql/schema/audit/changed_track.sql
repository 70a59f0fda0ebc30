create table audit.changed_track (
    track_key integer not null,
    constraint changed_track_pkey primary key (track_key)
);

comment on table audit.changed_track is
'Tracks whose recording, genres, audio features, cluster, newness or release date have changed since the marts were built.';
comment on column audit.changed_track.track_key is 'The track.';
