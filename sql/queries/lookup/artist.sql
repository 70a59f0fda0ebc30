select artist_id, artist_key
from staging.event_artist_key
