create unlogged table staging.part (
    load_id text collate "C" not null,
    table_name text collate "C" not null,
    partition integer not null,
    constraint part_pkey primary key (load_id, table_name, partition),
    constraint part_load_id_fkey foreign key (load_id) references staging.load
);
