create table warehouse.fact_playlist_track (
    playlist_key integer not null,
    track_key integer not null,
    occurrence integer not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null default 'infinity',
    added_at timestamptz,
    constraint fact_playlist_track_pkey primary key (playlist_key, track_key, occurrence, valid_from),
    constraint fact_playlist_track_playlist_key_fkey foreign key (playlist_key) references warehouse.dim_playlist,
    constraint fact_playlist_track_track_key_fkey foreign key (track_key) references warehouse.dim_track,
    constraint fact_playlist_track_occurrence_positive check (occurrence > 0),
    constraint fact_playlist_track_lasts check (valid_from < valid_to)
);

create unique index fact_playlist_track_is_current
    on warehouse.fact_playlist_track (track_key, playlist_key, occurrence) where valid_to = 'infinity';

create trigger queue_inserted after insert on warehouse.fact_playlist_track
referencing new table as changed for each statement execute function audit.queue_changed_playlists();

create trigger queue_updated after update on warehouse.fact_playlist_track
referencing new table as changed for each statement execute function audit.queue_changed_playlists();

create trigger queue_deleted after delete on warehouse.fact_playlist_track
referencing old table as changed for each statement execute function audit.queue_changed_playlists();

comment on table warehouse.fact_playlist_track is 'A track in a playlist for a period; the same track may be in it several times.';
comment on column warehouse.fact_playlist_track.playlist_key is 'The playlist.';
comment on column warehouse.fact_playlist_track.track_key is 'The track.';
comment on column warehouse.fact_playlist_track.occurrence is '1 for the first time that the track is in the playlist, 2 for the second.';
comment on column warehouse.fact_playlist_track.valid_from is 'Since when the track is in the playlist; -infinity if not known.';
comment on column warehouse.fact_playlist_track.valid_to is 'When it was first missing; infinity while it is in the playlist.';
comment on column warehouse.fact_playlist_track.added_at is 'When a user added it, if the source gives a possible time: neither before Spotify was founded nor after the response; else NULL.';
