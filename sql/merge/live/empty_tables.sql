-- A new generation: everything that an earlier one has counted goes. What artists were shown stays, as it was decided.
truncate
    live.batch,
    live.progress,
    live.event_id_even,
    live.event_id_odd,
    live.track,
    live.user_hour,
    live.continent_hour,
    live.artist_hour,
    live.active_minute,
    live.active_listener;
