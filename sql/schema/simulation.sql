create schema simulation;

comment on schema simulation is 'The truth behind made-up listeners; nothing that infers may read it.';
