create table warehouse.bridge_track_artist (
    track_key integer not null,
    artist_key integer not null,
    position smallint not null,
    constraint bridge_track_artist_pkey primary key (track_key, position),
    constraint bridge_track_artist_track_key_fkey foreign key (track_key) references warehouse.dim_track,
    constraint bridge_track_artist_artist_key_fkey foreign key (artist_key) references warehouse.dim_artist,
    constraint bridge_track_artist_position_positive check (position > 0)
);

create index bridge_track_artist_artist_key_idx on warehouse.bridge_track_artist (artist_key);

comment on table warehouse.bridge_track_artist is 'An artist of a track.';
comment on column warehouse.bridge_track_artist.track_key is 'The track.';
comment on column warehouse.bridge_track_artist.artist_key is 'The artist.';
comment on column warehouse.bridge_track_artist.position is 'Position in the track''s list of artists, from 1; the smallest is the main artist.';
