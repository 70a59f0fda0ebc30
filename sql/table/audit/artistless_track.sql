create table audit.artistless_track (
    track_key integer not null,
    constraint artistless_track_pkey primary key (track_key)
);

comment on table audit.artistless_track is 'Tracks that events name and of which nobody has said yet who plays them: their events have the unknown artist until then.';
comment on column audit.artistless_track.track_key is 'The track.';

-- Who was named before the table was there.
insert into audit.artistless_track (track_key)
select distinct track_key from warehouse.fact_event where artist_key = -1 and track_key > 0;
