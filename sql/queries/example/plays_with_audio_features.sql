-- What percentage of plays has audio features, by source? A recording has those of its first id that has any.
with measured as (
    select distinct on (recording_key) recording_key, audio_features_source
    from warehouse.dim_track
    where audio_features_source is not null
    order by recording_key, track_key
)

select
    coalesce(measured.audio_features_source, 'none') as measured_by,
    count(distinct play.recording_key) as recordings,
    count(*) as plays,
    round(count(*) / sum(count(*)) over (), 3) as share_of_plays
from mart.play as play
left join measured using (recording_key)
group by measured.audio_features_source
order by plays desc, measured_by;
