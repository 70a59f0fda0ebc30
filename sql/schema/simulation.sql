create schema simulation;

comment on schema simulation is 'The truth about simulated listeners; inference must not read it.';
