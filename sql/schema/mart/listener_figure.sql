create table mart.listener_figure (
    listener_key integer not null,
    plays bigint not null,
    featured_plays bigint not null,
    dated_plays bigint not null,
    newness_total bigint not null,
    constraint listener_figure_pkey primary key (listener_key)
);

comment on table mart.listener_figure is 'Plays of known recordings by a user.';
comment on column mart.listener_figure.listener_key is 'The user, as mart.listener has it.';
comment on column mart.listener_figure.plays is 'Plays.';
comment on column mart.listener_figure.featured_plays is 'Those of recordings of which an audio feature is known.';
comment on column mart.listener_figure.dated_plays is 'Those of recordings with a newness score.';
comment on column mart.listener_figure.newness_total is 'Sum of the newness scores over these plays, in millionths.';
