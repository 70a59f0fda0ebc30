create unlogged table staging.part (
    load_id text collate "C" not null,
    table_name text collate "C" not null,
    partition integer not null,
    constraint part_pkey primary key (load_id, table_name, partition),
    constraint part_load_id_fkey foreign key (load_id) references staging.load
);

comment on table staging.part is 'A partition of a frame that is staged, written together with its rows, so that it goes in once.';
comment on column staging.part.load_id is 'The load.';
comment on column staging.part.table_name is 'The staged table.';
comment on column staging.part.partition is 'Number of the partition.';
