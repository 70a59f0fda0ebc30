alter table warehouse.bridge_track_artist drop constraint bridge_track_artist_position_not_negative;
alter table warehouse.bridge_track_artist add constraint bridge_track_artist_position_positive check (position > 0);

comment on column warehouse.bridge_track_artist.position is 'Place in the track''s list of artists, from 1; the smallest is the main artist.';
