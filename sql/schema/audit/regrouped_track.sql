create table audit.regrouped_track (
    track_key integer not null,
    constraint regrouped_track_pkey primary key (track_key)
);

comment on table audit.regrouped_track is 'Tracks that have come to another recording since events were loaded: plays of them may be told by several sources, or no longer.';
comment on column audit.regrouped_track.track_key is 'The track.';
