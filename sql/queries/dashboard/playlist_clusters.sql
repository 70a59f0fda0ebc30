-- The audio clusters of playlists.
select playlist_id, audio_cluster_name, tracks, share
from mart.playlist_profile_cluster
where playlist_id = any(:playlist_ids)
order by playlist_id, share desc, audio_cluster_name;
