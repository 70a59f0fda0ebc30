-- A track has as many names as events say, not one: they are read where events say them, in event_named.
alter table staging.event_track drop column made_id;

comment on column warehouse.dim_track.merged_into_track_key is 'The track that a made id was recognised as, or an id linked to, later; else 0.';
