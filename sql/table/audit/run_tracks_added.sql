alter table audit.run add column tracks_added integer;

comment on column audit.run.tracks_added is 'How many tracks the run added to dim_track; NULL where it did not publish a catalogue.';
