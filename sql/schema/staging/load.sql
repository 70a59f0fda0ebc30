create unlogged table staging.load (
    load_id text collate "C" not null,
    run_id text collate "C" not null,
    reference_date date not null,
    table_names text[] not null,
    has_changes_only boolean default false not null,
    constraint load_pkey primary key (load_id)
);

comment on table staging.load is 'The load in progress: one row.';
comment on column staging.load.load_id is 'The load; a writer that outlived another load finds its own no more.';
comment on column staging.load.run_id is 'The run that it belongs to.';
comment on column staging.load.reference_date is 'The day on which the sources are taken to have been seen.';
comment on column staging.load.table_names is 'The staged tables that this load fills; the others it leaves alone.';
comment on column staging.load.has_changes_only is 'Whether rows of the catalogue that have not changed are left out.';
