-- Spotify's own charts say that all their tracks were added in 1970. Nobody knows since when these are there.
update warehouse.fact_playlist_track
set
    added_at = case when added_at between timestamptz '2006-04-23 00:00Z' and now() + interval '1 day' then added_at end,
    valid_from = '-infinity'
where valid_from not between timestamptz '2006-04-23 00:00Z' and now() + interval '1 day' and valid_from > '-infinity';

update warehouse.fact_playlist_track
set added_at = null
where added_at not between timestamptz '2006-04-23 00:00Z' and now() + interval '1 day';

comment on column warehouse.fact_playlist_track.added_at is 'When somebody added it, where the source says so and it can be: neither before Spotify was founded nor after the answer.';
