create schema audit;

comment on schema audit is 'Runs, their inputs, and the accounts of all input rows.';
