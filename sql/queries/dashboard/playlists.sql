-- Playlists with a description of how they sound; the largest first.
select playlist_id, playlist, tracks, tracks_with_audio_features, mean_newness, top_audio_cluster_name, description
from mart.playlist_profile
order by tracks desc, playlist, playlist_id
limit 500;
