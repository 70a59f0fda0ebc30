create table audit.name_matched_artist (
    track_key integer not null,
    artist_key integer not null,
    constraint name_matched_artist_pkey primary key (track_key)
);

comment on table audit.name_matched_artist is 'Tracks with events whose first artist nobody has said by an id: their events follow what becomes known of the track.';
comment on column audit.name_matched_artist.track_key is 'The track.';
comment on column audit.name_matched_artist.artist_key is 'The artist that its events have so far: whom a name means, or the unknown one.';
