create unlogged table staging.dim_track (
    track_id text collate "C",
    recording_id text collate "C",
    name text,
    album_id text collate "C",
    release_date date,
    release_date_precision text,
    release_date_source text,
    duration_ms integer,
    explicit boolean,
    isrc text,
    popularity integer,
    popularity_source text,
    primary_genre text,
    danceability double precision,
    energy double precision,
    loudness double precision,
    speechiness double precision,
    acousticness double precision,
    instrumentalness double precision,
    liveness double precision,
    valence double precision,
    tempo double precision,
    key integer,
    mode integer,
    time_signature integer,
    audio_features_source text,
    audio_features_type integer,
    newness_score double precision,
    source text
);

-- No merge or check filters by these columns: ANALYZE can skip them.
alter table staging.dim_track
    alter column name set statistics 0,
    alter column release_date set statistics 0,
    alter column release_date_precision set statistics 0,
    alter column release_date_source set statistics 0,
    alter column duration_ms set statistics 0,
    alter column explicit set statistics 0,
    alter column isrc set statistics 0,
    alter column popularity set statistics 0,
    alter column primary_genre set statistics 0,
    alter column danceability set statistics 0,
    alter column energy set statistics 0,
    alter column loudness set statistics 0,
    alter column speechiness set statistics 0,
    alter column acousticness set statistics 0,
    alter column instrumentalness set statistics 0,
    alter column liveness set statistics 0,
    alter column valence set statistics 0,
    alter column tempo set statistics 0,
    alter column key set statistics 0,
    alter column mode set statistics 0,
    alter column time_signature set statistics 0,
    alter column audio_features_source set statistics 0,
    alter column newness_score set statistics 0,
    alter column source set statistics 0;

-- Without it the planner assumes that nearly every track is a further id of its recording.
create statistics staging.dim_track_of_recording on (nullif(recording_id, track_id)) from staging.dim_track;

comment on table staging.dim_track is 'Tracks, on their way to warehouse.dim_track.';
comment on column staging.dim_track.track_id is 'Spotify''s track id, or a name-derived id "name:<hash>" if the source has none.';
comment on column staging.dim_track.recording_id is 'The smallest track id of the recording.';
comment on column staging.dim_track.name is 'The track''s title; NULL only for an inferred track.';
comment on column staging.dim_track.album_id is 'The track''s album; NULL if no source names one.';
comment on column staging.dim_track.release_date is 'Release date; the first day of the year or month if only that is known.';
comment on column staging.dim_track.release_date_precision is 'Precision of the release date: year, month or day.';
comment on column staging.dim_track.release_date_source is 'Where the release date comes from.';
comment on column staging.dim_track.duration_ms is 'Length in milliseconds.';
comment on column staging.dim_track.explicit is 'Whether the lyrics are marked explicit.';
comment on column staging.dim_track.isrc is 'International Standard Recording Code.';
comment on column staging.dim_track.popularity is 'Popularity from 0 to 100.';
comment on column staging.dim_track.popularity_source is 'Where the popularity comes from.';
comment on column staging.dim_track.primary_genre is 'The one genre to show for the track; "unknown" if none is known.';
comment on column staging.dim_track.danceability is 'How fit for dancing, 0 to 1.';
comment on column staging.dim_track.energy is 'Intensity and activity, 0 to 1.';
comment on column staging.dim_track.loudness is 'Average loudness in dB, mostly -60 to 0.';
comment on column staging.dim_track.speechiness is 'Fraction of spoken words, 0 to 1.';
comment on column staging.dim_track.acousticness is 'Confidence that the track is acoustic, 0 to 1.';
comment on column staging.dim_track.instrumentalness is 'Confidence that the track has no vocals, 0 to 1.';
comment on column staging.dim_track.liveness is 'Confidence that an audience is present, 0 to 1.';
comment on column staging.dim_track.valence is 'How positive the track sounds, 0 to 1.';
comment on column staging.dim_track.tempo is 'Beats a minute; NULL if none was found.';
comment on column staging.dim_track.key is 'Musical key, 0 is C and 11 is B; NULL if none was found.';
comment on column staging.dim_track.mode is '0 minor, 1 major.';
comment on column staging.dim_track.time_signature is 'Beats in a bar; NULL if none was found.';
comment on column staging.dim_track.audio_features_source is 'Where the audio features come from.';
comment on column staging.dim_track.audio_features_type is 'Number of the track''s audio cluster, stable across fits; NULL without audio features.';
comment on column staging.dim_track.newness_score is '0 for the oldest track of the catalogue, 1 for the newest; NULL without a release date.';
comment on column staging.dim_track.source is 'The best source that knows the track.';
