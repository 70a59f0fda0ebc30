-- The audio clusters of the current fit.
select audio_features_type, name, size
from warehouse.dim_audio_cluster
order by size desc, audio_features_type;
