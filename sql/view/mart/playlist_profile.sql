create view mart.playlist_profile as
select
    l.playlist_key,
    l.playlist_id,
    l.name as playlist,
    l.owner_id,
    p.entries as tracks,
    p.featured_entries as tracks_with_audio_features,
    p.mean_newness,
    p.top_audio_features_type,
    p.top_audio_cluster_name,
    p.description
from mart.profile as p
inner join warehouse.dim_playlist as l on l.playlist_key = p.subject_key
where p.scope = 'playlist'
    and not exists (select from warehouse.exclusion as x where x.kind = 'user' and x.id = l.owner_id);

comment on view mart.playlist_profile is 'How a playlist sounds, in a line.';
comment on column mart.playlist_profile.playlist_key is 'The playlist.';
comment on column mart.playlist_profile.playlist_id is 'Its id.';
comment on column mart.playlist_profile.playlist is 'Its name.';
comment on column mart.playlist_profile.owner_id is 'The user who owns it; NULL where no API said.';
comment on column mart.playlist_profile.tracks is 'Recordings in it, each once.';
comment on column mart.playlist_profile.tracks_with_audio_features is 'Those of which an audio feature is known.';
comment on column mart.playlist_profile.mean_newness is 'Mean of the newness scores, 0 old to 1 new; NULL where none is known.';
comment on column mart.playlist_profile.top_audio_features_type is 'The audio cluster with most of them; of equals the smallest number.';
comment on column mart.playlist_profile.top_audio_cluster_name is 'Its name.';
comment on column mart.playlist_profile.description is 'How they sound, in words made from the figures.';

create view mart.playlist_profile_attribute as
select
    l.playlist_key,
    l.playlist_id,
    l.name as playlist,
    l.owner_id,
    p.attribute,
    p.entries as tracks,
    p.mean,
    p.deviation,
    p.distance,
    p.lower_quartile,
    p.median,
    p.upper_quartile,
    p.entries_by_bin as tracks_by_bin
from mart.profile_attribute as p
inner join warehouse.dim_playlist as l on l.playlist_key = p.subject_key
where p.scope = 'playlist'
    and not exists (select from warehouse.exclusion as x where x.kind = 'user' and x.id = l.owner_id);

comment on view mart.playlist_profile_attribute is 'An audio feature of a playlist: mean, spread and distribution.';
comment on column mart.playlist_profile_attribute.playlist_key is 'The playlist.';
comment on column mart.playlist_profile_attribute.playlist_id is 'Its id.';
comment on column mart.playlist_profile_attribute.playlist is 'Its name.';
comment on column mart.playlist_profile_attribute.owner_id is 'The user who owns it; NULL where no API said.';
comment on column mart.playlist_profile_attribute.attribute is 'The audio feature, a column of warehouse.dim_track.';
comment on column mart.playlist_profile_attribute.tracks is 'Recordings of which it is known.';
comment on column mart.playlist_profile_attribute.mean is 'Mean, in the audio feature''s own unit: loudness in dB, tempo in beats a minute, else 0 to 1.';
comment on column mart.playlist_profile_attribute.deviation is 'Standard deviation, in the same unit.';
comment on column mart.playlist_profile_attribute.distance is 'Of the mean from the catalogue''s mean, in the catalogue''s standard deviations; NULL before the first fit of the clusters.';
comment on column mart.playlist_profile_attribute.lower_quartile is 'A quarter lies below, to within a bin.';
comment on column mart.playlist_profile_attribute.median is 'Half lies below, to within a bin.';
comment on column mart.playlist_profile_attribute.upper_quartile is 'Three quarters lie below, to within a bin.';
comment on column mart.playlist_profile_attribute.tracks_by_bin is 'How many lie in each of the 20 bins between the bounds of mart.attribute.';

create view mart.playlist_profile_cluster as
select
    l.playlist_key,
    l.playlist_id,
    l.name as playlist,
    l.owner_id,
    p.audio_features_type,
    p.audio_cluster_name,
    p.entries as tracks,
    p.share
from mart.profile_cluster as p
inner join warehouse.dim_playlist as l on l.playlist_key = p.subject_key
where p.scope = 'playlist'
    and not exists (select from warehouse.exclusion as x where x.kind = 'user' and x.id = l.owner_id);

comment on view mart.playlist_profile_cluster is 'The audio clusters of a playlist.';
comment on column mart.playlist_profile_cluster.playlist_key is 'The playlist.';
comment on column mart.playlist_profile_cluster.playlist_id is 'Its id.';
comment on column mart.playlist_profile_cluster.playlist is 'Its name.';
comment on column mart.playlist_profile_cluster.owner_id is 'The user who owns it; NULL where no API said.';
comment on column mart.playlist_profile_cluster.audio_features_type is 'The cluster.';
comment on column mart.playlist_profile_cluster.audio_cluster_name is 'Its name.';
comment on column mart.playlist_profile_cluster.tracks is 'Recordings of the cluster.';
comment on column mart.playlist_profile_cluster.share is 'Their share of those that are in a cluster.';
