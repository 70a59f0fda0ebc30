-- Name-derived ids, for events that have a name only; often none. An event may have an id of the artist.
select track_name, artist_name, max(made_track) as made_track, max(made_artist) as made_artist
from staging.event_named
where track_id is null and (made_track is not null or made_artist is not null)
group by track_name, artist_name
