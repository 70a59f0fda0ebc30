create table audit.name_matched_artist (
    track_key integer not null,
    artist_key integer not null,
    constraint name_matched_artist_pkey primary key (track_key)
);

comment on table audit.name_matched_artist is 'Tracks with events whose first artist no source has given by an id: their events are updated when more is known about the track.';
comment on column audit.name_matched_artist.track_key is 'The track.';
comment on column audit.name_matched_artist.artist_key is 'The current artist of its events: that of a name, or the unknown one.';
