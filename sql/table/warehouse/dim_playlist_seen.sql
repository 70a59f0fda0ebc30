alter table warehouse.dim_playlist add column items_seen_at timestamptz;

comment on column warehouse.dim_playlist.items_seen_at is 'When the API answered with the newest snapshot that stands in fact_playlist_track; NULL where it never did.';
