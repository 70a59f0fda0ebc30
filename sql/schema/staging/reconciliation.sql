create unlogged table staging.reconciliation (
    from_id text collate "C",
    to_id text collate "C",
    method text,
    score double precision,
    source text
);

comment on table staging.reconciliation is 'Recognised ids, on their way to audit.reconciliation.';
comment on column staging.reconciliation.from_id is 'Its id, or its name-derived id.';
comment on column staging.reconciliation.to_id is 'The track id that it was recognised as.';
comment on column staging.reconciliation.method is 'How it was recognised.';
comment on column staging.reconciliation.score is 'How sure the match is, 0 to 1.';
comment on column staging.reconciliation.source is 'The source that contains it.';
