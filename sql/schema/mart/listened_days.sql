create table mart.listened_days (
    listener_key integer not null,
    days datemultirange not null,
    constraint listened_days_pkey primary key (listener_key)
);

comment on table mart.listened_days is 'The days on which a user played something.';
comment on column mart.listened_days.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listened_days.days is 'The days; a streak is one range.';
