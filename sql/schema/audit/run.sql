create table audit.run (
    run_id text collate "C" not null,
    job text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    result text not null default 'running',
    message text,
    reference_date date,
    newness_oldest_month date,
    newness_newest_month date,
    memory_run_id text collate "C",
    tracks_added integer,
    catalogue_state_id text collate "C",
    constraint run_pkey primary key (run_id),
    constraint run_result_known check (result in ('running', 'published', 'nothing_new', 'failed')),
    constraint run_finishes check ((result = 'running') = (finished_at is null)),
    constraint run_failure_has_message check (result <> 'failed' or message is not null)
);

comment on table audit.run is 'What ran, when, and how it ended.';
comment on column audit.run.run_id is 'The run, as the orchestrator names it.';
comment on column audit.run.job is 'What ran, by the name of its DAG.';
comment on column audit.run.started_at is 'When it started.';
comment on column audit.run.finished_at is 'When it ended; NULL while it runs, or if it was killed.';
comment on column audit.run.result is 'running, published, nothing_new or failed.';
comment on column audit.run.message is 'Why it failed, or a remark; NULL if there is none.';
comment on column audit.run.reference_date is 'The day that ages are counted to.';
comment on column audit.run.newness_oldest_month is 'Month of the oldest release date that counts; newness_score is 0 there.';
comment on column audit.run.newness_newest_month is 'Month of the newest release date that counts; newness_score is 1 there.';
comment on column audit.run.memory_run_id is 'The run whose latest state of API resources this run used; NULL if there was none.';
comment on column audit.run.tracks_added is 'Number of tracks that the run added to dim_track; NULL if it did not publish a catalogue.';
comment on column audit.run.catalogue_state_id is 'The state in the lake that the run''s catalogue left, from which the next refresh goes on; NULL if it left none.';
