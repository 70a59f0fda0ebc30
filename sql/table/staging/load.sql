create unlogged table staging.load (
    load_id text collate "C" not null,
    run_id text collate "C" not null,
    reference_date date not null,
    table_names text[] not null,
    constraint load_pkey primary key (load_id)
);
