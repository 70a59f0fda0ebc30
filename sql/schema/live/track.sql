create table live.track (
    track_id text collate "C" not null,
    track_name text,
    artist_id text collate "C" not null,
    artist_name text,
    genre text not null,
    constraint track_pkey primary key (track_id)
);

create index track_artist_id_idx on live.track (artist_id);

comment on table live.track is 'A track as an event of the topic names it; the star may not know it yet.';
comment on column live.track.track_id is 'Spotify''s track id; "title:" with artist and title if the event has no id.';
comment on column live.track.track_name is 'Its title.';
comment on column live.track.artist_id is 'Its artist; the name if the event has no id; empty if it has neither.';
comment on column live.track.artist_name is 'That artist''s name.';
comment on column live.track.genre is 'Its genre; "unknown" if the event names none.';
