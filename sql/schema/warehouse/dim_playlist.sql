create table warehouse.dim_playlist (
    playlist_key integer not null,
    playlist_id text collate "C" not null,
    name text,
    owner_id text collate "C",
    snapshot_id text collate "C",
    genre text,
    subgenre text,
    source text not null,
    is_inferred boolean not null default false,
    items_seen_at timestamptz,
    constraint dim_playlist_pkey primary key (playlist_key),
    constraint dim_playlist_playlist_id_key unique (playlist_id),
    constraint dim_playlist_is_named check (is_inferred or name is not null)
);

-- Before the triggers, so that these rows are no changes for the marts.
insert into warehouse.dim_playlist (playlist_key, playlist_id, name, source) values
    (0, 'not applicable', 'Not applicable', 'warehouse'),
    (-1, 'unknown', 'Unknown', 'warehouse');

create trigger queue_inserted after insert on warehouse.dim_playlist
referencing new table as changed for each statement execute function audit.queue_changed_playlists();

create trigger queue_updated after update on warehouse.dim_playlist
referencing new table as changed for each statement execute function audit.queue_changed_playlists();

create trigger queue_deleted after delete on warehouse.dim_playlist
referencing old table as changed for each statement execute function audit.queue_changed_playlists();

comment on table warehouse.dim_playlist is 'A playlist.';
comment on column warehouse.dim_playlist.playlist_key is 'Surrogate key; 0 is "not applicable", -1 "unknown".';
comment on column warehouse.dim_playlist.playlist_id is 'Spotify''s playlist id.';
comment on column warehouse.dim_playlist.name is 'The playlist''s name; NULL only for an inferred playlist.';
comment on column warehouse.dim_playlist.owner_id is 'The user who owns it, as the API names users; NULL if no API gave it.';
comment on column warehouse.dim_playlist.snapshot_id is 'The version of its items in fact_playlist_track; NULL if no API gave one.';
comment on column warehouse.dim_playlist.genre is 'The genre that the source files the playlist under.';
comment on column warehouse.dim_playlist.subgenre is 'The subgenre that the source files the playlist under.';
comment on column warehouse.dim_playlist.source is 'The best source that knows the playlist.';
comment on column warehouse.dim_playlist.is_inferred is 'Whether only the id is known so far; completed later under the same key.';
comment on column warehouse.dim_playlist.items_seen_at is 'When the API returned the newest snapshot in fact_playlist_track; NULL if it never did.';
