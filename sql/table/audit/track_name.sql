create table audit.track_name (
    track_key integer not null,
    name_id text collate "C" not null,
    constraint track_name_pkey primary key (track_key, name_id)
);

create index track_name_name_id_idx on audit.track_name (name_id);

comment on table audit.dropped_event is 'Plays that another record reports too, as they would stand in fact_event: should that one change, they are back.';
comment on table audit.event_match is 'Two records of one play: which stands in fact_event, which was dropped, and by which rule.';
comment on column audit.event_match.rule is 'Which instants of the two records were how close: docs/rules.md, "One play that several records report".';
comment on table audit.track_name is 'The names that account exports and the API''s events give tracks known by an id: by them a play known by its name alone is found to be the same as a play of the track.';
comment on column audit.track_name.track_key is 'The track.';
comment on column audit.track_name.name_id is 'The id "name:<hash>" derived from title, version and artist.';
