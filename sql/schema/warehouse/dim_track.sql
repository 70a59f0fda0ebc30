create table warehouse.dim_track (
    track_key integer not null,
    recording_key integer not null,
    merged_into_track_key integer not null default 0,
    album_key integer not null,
    duration_ms integer,
    release_date date,
    popularity smallint,
    key smallint,
    mode smallint,
    time_signature smallint,
    audio_features_type smallint,
    explicit boolean,
    is_inferred boolean not null default false,
    danceability double precision,
    energy double precision,
    loudness double precision,
    speechiness double precision,
    acousticness double precision,
    instrumentalness double precision,
    liveness double precision,
    valence double precision,
    tempo double precision,
    newness_score double precision,
    track_id text collate "C" not null,
    name text,
    isrc text collate "C",
    primary_genre text not null default 'unknown',
    release_date_precision text,
    release_date_source text,
    popularity_source text,
    audio_features_source text,
    source text not null,
    constraint dim_track_pkey primary key (track_key),
    constraint dim_track_track_id_key unique (track_id),
    constraint dim_track_album_key_fkey foreign key (album_key) references warehouse.dim_album,
    constraint dim_track_is_named check (is_inferred or name is not null),
    constraint dim_track_duration_not_negative check (duration_ms >= 0),
    constraint dim_track_popularity_in_range check (popularity between 0 and 100),
    constraint dim_track_newness_in_range check (newness_score between 0 and 1),
    constraint dim_track_release_date_has_precision check (
        (release_date is null) = (release_date_precision is null)
        and (release_date is null) = (release_date_source is null)
        and release_date_precision in ('year', 'month', 'day')
    ),
    constraint dim_track_features_in_range check (
        danceability between 0 and 1
        and energy between 0 and 1
        and loudness between -100 and 20
        and speechiness between 0 and 1
        and acousticness between 0 and 1
        and instrumentalness between 0 and 1
        and liveness between 0 and 1
        and valence between 0 and 1
        and tempo between 0 and 1000
        and key between -1 and 11
        and mode between 0 and 1
        and time_signature between 0 and 16
    )
);

-- recording_key and merged_into_track_key refer to the table itself and have no foreign key: it would lock and log each
-- row of a load a second time. check/published/keys_within_dim_track.sql checks them instead, in the same transaction.

-- Contains only ids that share another id's recording: they are few, and a publication needs no others.
create index dim_track_recording_key_idx on warehouse.dim_track (recording_key) where recording_key <> track_key;

create trigger queue_updated after update on warehouse.dim_track
for each row
when (
    (
        old.recording_key,
        old.audio_features_type,
        old.audio_features_source,
        old.danceability,
        old.energy,
        old.loudness,
        old.speechiness,
        old.acousticness,
        old.instrumentalness,
        old.liveness,
        old.valence,
        old.tempo,
        old.newness_score,
        old.release_date
    ) is distinct from (
        new.recording_key,
        new.audio_features_type,
        new.audio_features_source,
        new.danceability,
        new.energy,
        new.loudness,
        new.speechiness,
        new.acousticness,
        new.instrumentalness,
        new.liveness,
        new.valence,
        new.tempo,
        new.newness_score,
        new.release_date
    )
)
execute function audit.queue_changed_track();

-- Row by row, because the condition costs next to nothing for the many rows that it excludes.
create trigger regrouped_by_update after update on warehouse.dim_track
for each row when (old.recording_key <> new.recording_key)
execute function audit.regroup_track();

comment on table warehouse.dim_track is 'A track id. Ids are never merged: to count tracks, count recordings (count(distinct recording_key)).';
comment on column warehouse.dim_track.track_key is 'Surrogate key; 0 is "not applicable", -1 "unknown".';
comment on column warehouse.dim_track.recording_key is 'The smallest track_key among the ids of the same recording.';
comment on column warehouse.dim_track.merged_into_track_key is 'The track to which a name-derived id was matched, or an id linked, later; else 0.';
comment on column warehouse.dim_track.album_key is 'The track''s album; -1 if no source names one.';
comment on column warehouse.dim_track.duration_ms is 'Length in milliseconds.';
comment on column warehouse.dim_track.release_date is 'Release date; the first day of the year or month if only that is known.';
comment on column warehouse.dim_track.popularity is 'Popularity from 0 to 100.';
comment on column warehouse.dim_track.key is 'Musical key, 0 is C and 11 is B; NULL if none was found.';
comment on column warehouse.dim_track.mode is '0 minor, 1 major.';
comment on column warehouse.dim_track.time_signature is 'Beats in a bar; NULL if none was found.';
comment on column warehouse.dim_track.audio_features_type is 'Number of the track''s audio cluster, stable across fits; NULL without audio features.';
comment on column warehouse.dim_track.explicit is 'Whether the lyrics are marked explicit.';
comment on column warehouse.dim_track.is_inferred is 'Whether only the id is known so far; completed later under the same key.';
comment on column warehouse.dim_track.danceability is 'How fit for dancing, 0 to 1.';
comment on column warehouse.dim_track.energy is 'Intensity and activity, 0 to 1.';
comment on column warehouse.dim_track.loudness is 'Average loudness in dB, mostly -60 to 0.';
comment on column warehouse.dim_track.speechiness is 'Fraction of spoken words, 0 to 1.';
comment on column warehouse.dim_track.acousticness is 'Confidence that the track is acoustic, 0 to 1.';
comment on column warehouse.dim_track.instrumentalness is 'Confidence that the track has no vocals, 0 to 1.';
comment on column warehouse.dim_track.liveness is 'Confidence that an audience is present, 0 to 1.';
comment on column warehouse.dim_track.valence is 'How positive the track sounds, 0 to 1.';
comment on column warehouse.dim_track.tempo is 'Beats a minute; NULL if none was found.';
comment on column warehouse.dim_track.newness_score is '0 for the oldest track of the catalogue, 1 for the newest; NULL without a release date.';
comment on column warehouse.dim_track.track_id is 'Spotify''s track id, or a name-derived id "name:<hash>" if the source has none.';
comment on column warehouse.dim_track.name is 'The track''s title; NULL only for an inferred track.';
comment on column warehouse.dim_track.isrc is 'International Standard Recording Code.';
comment on column warehouse.dim_track.primary_genre is 'The one genre to show for the track; "unknown" if none is known.';
comment on column warehouse.dim_track.release_date_precision is 'Precision of the release date: year, month or day.';
comment on column warehouse.dim_track.release_date_source is 'Where the release date comes from.';
comment on column warehouse.dim_track.popularity_source is 'Where the popularity comes from.';
comment on column warehouse.dim_track.audio_features_source is 'Where the audio features come from.';
comment on column warehouse.dim_track.source is 'The best source that knows the track.';

insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source) values
    (0, 0, 0, 'not applicable', 'Not applicable', 'warehouse'),
    (-1, -1, -1, 'unknown', 'Unknown', 'warehouse');
