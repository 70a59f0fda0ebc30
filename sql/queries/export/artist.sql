-- Artists as records of the contract entity_artist: $1 <= artist_key < $2.
select
    artist_id as "artistId",
    name as "name",
    popularity::integer as "popularity",
    followers as "followers"
from warehouse.dim_artist
where artist_key > 0 and artist_key >= $1 and artist_key < $2
