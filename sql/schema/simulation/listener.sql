create table simulation.listener (
    user_id text collate "C" not null,
    population text collate "C" not null,
    seed bigint not null,
    personality text not null,
    exploration double precision not null,
    newness double precision not null,
    loyalty double precision not null,
    commonality double precision not null,
    sign_up_date date,
    churn_date date,
    constraint listener_pkey primary key (user_id),
    constraint listener_churns_after_sign_up check (sign_up_date < churn_date),
    constraint listener_personality_is_of_traits check (
        personality = case when exploration >= 0.5 then 'E' else 'F' end
        || case when newness >= 0.5 then 'N' else 'T' end
        || case when loyalty >= 0.5 then 'L' else 'V' end
        || case when commonality >= 0.5 then 'C' else 'U' end
    ),
    constraint listener_traits_in_range check (
        exploration between 0 and 1
        and newness between 0 and 1
        and loyalty between 0 and 1
        and commonality between 0 and 1
    )
);

comment on table simulation.listener is 'The truth about a simulated listener: inference is scored by it, and must not read it.';
comment on column simulation.listener.user_id is 'The user''s id in the feed and in warehouse.dim_user.';
comment on column simulation.listener.population is 'What all listeners of one seed, mix, habits and catalogue have in common; it is part of their ids.';
comment on column simulation.listener.seed is 'Seed of the simulation.';
comment on column simulation.listener.personality is 'One of sixteen listening personalities, four letters: E or F, N or T, L or V, C or U.';
comment on column simulation.listener.exploration is 'From 0, always the same artists (F), to 1, always new ones (E).';
comment on column simulation.listener.newness is 'From 0, old music (T), to 1, the newest (N).';
comment on column simulation.listener.loyalty is 'From 0, many different tracks (V), to 1, the same ones on repeat (L).';
comment on column simulation.listener.commonality is 'From 0, artists that few play (U), to 1, artists that millions play (C).';
comment on column simulation.listener.sign_up_date is 'The local day of the user''s first record, which can come after the feed; NULL for listeners of earlier versions.';
comment on column simulation.listener.churn_date is 'The first local day without listening, for good; NULL for listeners who stay.';
