alter table warehouse.dim_artist add column made_id text collate "C";
alter table staging.dim_artist add column made_id text collate "C";

create index dim_artist_made_id_idx on warehouse.dim_artist (made_id);
-- Artists whose folded name was never told are found by the name as it is, which may be longer than a tree takes.
create index dim_artist_name_idx on warehouse.dim_artist using hash (lower(name)) where made_id is null;

comment on column warehouse.dim_artist.made_id is 'The id "name:<hash>" that the name alone gives: it finds the artist where an event says no more; NULL where only events named the artist, by an id.';
comment on column staging.dim_artist.made_id is 'The id that the name alone gives.';
comment on column staging.event_named.made_artist is 'The id made of the artist''s name, where the event has no id of the artist.';
