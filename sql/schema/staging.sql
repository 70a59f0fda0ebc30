create schema staging;

comment on schema staging is 'What the load in progress wrote, before its checks; empty or left over between loads.';
