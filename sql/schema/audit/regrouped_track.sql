create table audit.regrouped_track (
    track_key integer not null,
    constraint regrouped_track_pkey primary key (track_key)
);

comment on table audit.regrouped_track is 'Tracks whose recording has changed since events were loaded: their plays may now be reported by several sources, or no longer.';
comment on column audit.regrouped_track.track_key is 'The track.';
