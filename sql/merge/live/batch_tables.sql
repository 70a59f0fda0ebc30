-- The rows of a batch, before they are added to the tables that have unique keys.
create temporary table if not exists batch_event_id (position integer, event_id uuid) on commit delete rows;
create temporary table if not exists batch_known_event (position integer) on commit delete rows;
create temporary table if not exists batch_track (like live.track) on commit delete rows;
create temporary table if not exists batch_continent_hour (like live.continent_hour) on commit delete rows;
create temporary table if not exists batch_artist_hour (like live.artist_hour) on commit delete rows;
create temporary table if not exists batch_active_minute (like live.active_minute) on commit delete rows;
create temporary table if not exists batch_active_listener (like live.active_listener) on commit delete rows;
