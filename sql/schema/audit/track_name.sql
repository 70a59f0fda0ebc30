create table audit.track_name (
    track_key integer not null,
    name_id text collate "C" not null,
    constraint track_name_pkey primary key (track_key, name_id)
);

create index track_name_name_id_idx on audit.track_name (name_id);

comment on table audit.track_name is 'The names that account exports and the API''s events give tracks known by an id: by them a play that has a name only is matched to a play of the track.';
comment on column audit.track_name.track_key is 'The track.';
comment on column audit.track_name.name_id is 'The id "name:<hash>" derived from title, version and artist.';
