create table audit.published_artist_track (
    artist_key integer not null,
    recording_key integer not null,
    plays bigint not null,
    recording_id text collate "C",
    track_name text,
    constraint published_artist_track_pkey primary key (artist_key, recording_key),
    constraint published_artist_track_artist_key_fkey foreign key (artist_key)
    references audit.published_artist on delete cascade
);

comment on table audit.published_artist_track is 'The published numbers of an artist by recording: the sum over all batches.';
comment on column audit.published_artist_track.artist_key is 'The artist.';
comment on column audit.published_artist_track.recording_key is 'The recording; 0 for plays that are published without one.';
comment on column audit.published_artist_track.plays is 'Number of plays.';
comment on column audit.published_artist_track.recording_id is 'The track id that names the recording.';
comment on column audit.published_artist_track.track_name is 'Its name.';
