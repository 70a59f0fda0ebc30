create unlogged table staging.listener (
    user_id text collate "C",
    population text collate "C",
    seed bigint,
    personality text,
    exploration double precision,
    newness double precision,
    loyalty double precision,
    commonality double precision,
    sign_up_date date,
    churn_date date
);

comment on table staging.listener is 'The truth about simulated listeners, on its way to simulation.listener.';
comment on column staging.listener.user_id is 'The user''s id in the feed and in warehouse.dim_user.';
comment on column staging.listener.population is 'What all listeners of one seed, mix, habits and catalogue have in common; it is part of their ids.';
comment on column staging.listener.seed is 'Seed of the simulation.';
comment on column staging.listener.personality is 'One of sixteen listening personalities, four letters: E or F, N or T, L or V, C or U.';
comment on column staging.listener.exploration is 'From 0, always the same artists (F), to 1, always new ones (E).';
comment on column staging.listener.newness is 'From 0, old music (T), to 1, the newest (N).';
comment on column staging.listener.loyalty is 'From 0, many different tracks (V), to 1, the same ones on repeat (L).';
comment on column staging.listener.commonality is 'From 0, artists that few play (U), to 1, artists that millions play (C).';
comment on column staging.listener.sign_up_date is 'The local day of the user''s first record.';
comment on column staging.listener.churn_date is 'The first local day without listening, for good; NULL for listeners who stay.';
