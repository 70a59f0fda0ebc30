-- Ids that are made of names, for events that have a name alone; often none.
select distinct track_name, artist_name, made_track, made_artist
from staging.event_named
where track_id is null and (made_track is not null or made_artist is not null)
