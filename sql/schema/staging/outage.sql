create unlogged table staging.outage (
    population text collate "C",
    started_at timestamptz,
    ended_at timestamptz
);

comment on table staging.outage is 'The truth about outages of simulated growing populations, on its way to simulation.outage.';
comment on column staging.outage.population is 'The population, as in simulation.listener.';
comment on column staging.outage.started_at is 'Its first instant, UTC.';
comment on column staging.outage.ended_at is 'The first instant after it, UTC.';
