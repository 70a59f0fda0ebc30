-- The audio features of playlists: mean, standard deviation, and number of tracks in each of twenty equal bins.
select
    p.playlist_id, p.attribute, p.tracks, p.mean, p.deviation, p.distance, p.tracks_by_bin, a.first_bound, a.last_bound
from mart.playlist_profile_attribute as p
inner join mart.attribute as a on a.attribute = p.attribute
where p.playlist_id = any(:playlist_ids)
order by p.playlist_id, a.attribute_number;
