create table audit.forecast_run (
    made_at timestamptz not null,
    processor_seconds double precision not null,
    as_of_date date not null,
    seed integer not null,
    series_count integer not null,
    refused_count integer not null,
    horizon_days smallint not null,
    horizon_weeks smallint not null,
    is_training boolean not null,
    run_id text collate "C" not null,
    data_hash text not null,
    code_version text not null,
    model_path text,
    levels text[] not null,
    versions jsonb not null,
    settings jsonb not null,
    seconds jsonb not null,
    constraint forecast_run_pkey primary key (run_id),
    constraint forecast_run_run_id_fkey foreign key (run_id) references audit.run,
    constraint forecast_run_counts_not_negative check (series_count >= 0 and refused_count >= 0)
);

create index forecast_run_as_of_date_idx on audit.forecast_run (as_of_date);

comment on table audit.forecast_run is 'A run of the forecasts that was published: on which data, by which code, and what it cost.';
comment on column audit.forecast_run.made_at is 'When it was loaded.';
comment on column audit.forecast_run.processor_seconds is 'Processor time of the program, s.';
comment on column audit.forecast_run.as_of_date is 'The last complete day that it knew.';
comment on column audit.forecast_run.seed is 'Seed of all its random numbers.';
comment on column audit.forecast_run.series_count is 'Number of series.';
comment on column audit.forecast_run.refused_count is 'Series of too short or too sparse a history, without a forecast.';
comment on column audit.forecast_run.horizon_days is 'How many days ahead it forecast.';
comment on column audit.forecast_run.horizon_weeks is 'How many weeks ahead it forecast.';
comment on column audit.forecast_run.is_training is 'Whether it compared the models, trained and chose the champions; else it used those of the last training.';
comment on column audit.forecast_run.run_id is 'The run.';
comment on column audit.forecast_run.data_hash is 'Hash of the series: the same data have the same hash; after late events, erasures and exclusions it is another one.';
comment on column audit.forecast_run.code_version is 'Hash of the source code of the program.';
comment on column audit.forecast_run.model_path is 'Folder of its model files, within the lake; NULL if it did not train.';
comment on column audit.forecast_run.levels is 'The levels that it forecast. The models of a training serve later runs of the same or fewer levels, and of horizons that it covers.';
comment on column audit.forecast_run.versions is 'Versions of the libraries.';
comment on column audit.forecast_run.settings is 'Its settings.';
comment on column audit.forecast_run.seconds is 'Elapsed time by stage, s.';
