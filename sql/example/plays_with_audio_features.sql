-- How much of what is played has audio features, and who measured them?
select
    coalesce(track.audio_features_source, 'none') as measured_by,
    count(distinct play.recording_key) as recordings,
    count(*) as plays,
    round(count(*) / sum(count(*)) over (), 3) as share_of_plays
from mart.play as play
join warehouse.dim_track as track using (track_key)
group by track.audio_features_source
order by plays desc, measured_by;
