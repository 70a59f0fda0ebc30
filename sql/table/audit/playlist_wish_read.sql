alter table audit.playlist_wish add column read_at timestamptz;

comment on column audit.playlist_wish.read_at is 'When the refresh of the user''s own account had first read it whole; NULL before, when the user is shown nothing of it.';
