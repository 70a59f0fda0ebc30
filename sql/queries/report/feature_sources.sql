-- Audio features by source.
select audio_features_source as source, count(*) as tracks
from warehouse.dim_track
where audio_features_source is not null
group by audio_features_source
order by count(*) desc, audio_features_source;
