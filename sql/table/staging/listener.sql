create unlogged table staging.listener (
    user_id text collate "C",
    population text collate "C",
    seed bigint,
    personality text,
    exploration double precision,
    newness double precision,
    loyalty double precision,
    commonality double precision
);

comment on table staging.listener is 'The truth about made-up listeners, on its way to simulation.listener.';
