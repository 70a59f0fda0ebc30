create table audit.reconciliation (
    source text not null,
    from_id text collate "C" not null,
    to_id text collate "C" not null,
    method text not null,
    score double precision not null,
    run_id text collate "C" not null,
    constraint reconciliation_pkey primary key (source, from_id),
    constraint reconciliation_run_id_fkey foreign key (run_id) references audit.run,
    constraint reconciliation_score_in_range check (score between 0 and 1)
);

create index reconciliation_to_id_idx on audit.reconciliation (to_id);

comment on table audit.reconciliation is 'An id, or a row without one, that was matched to an existing track.';
comment on column audit.reconciliation.source is 'The source that contains it.';
comment on column audit.reconciliation.from_id is 'Its id, or its name-derived id.';
comment on column audit.reconciliation.to_id is 'The track id that it was recognised as.';
comment on column audit.reconciliation.method is 'How it was recognised.';
comment on column audit.reconciliation.score is 'How sure the match is, 0 to 1.';
comment on column audit.reconciliation.run_id is 'The run that found it.';
