create view mart.my_user_personality with (security_barrier) as
select m.*
from mart.user_personality as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_user_personality is 'Your listening personality, inferred from your plays.';
comment on column mart.my_user_personality.user_id is 'The user.';
comment on column mart.my_user_personality.letters is 'E or F, N or T, L or V, C or U; NULL with too little data, see what_is_missing.';
comment on column mart.my_user_personality.name is 'Name of the respondentality.';
comment on column mart.my_user_personality.description is 'The personality''s way of listening in a sentence.';
comment on column mart.my_user_personality.sureness is 'How likely all four letters are right, 0 to 1; for the middle of all four traits 0.06.';
comment on column mart.my_user_personality.plays is 'Number of evaluated plays, which are those outside of playlists: the latest months with 2,000 together.';
comment on column mart.my_user_personality.dated_plays is 'Number of them with a known release date.';
comment on column mart.my_user_personality.choices is 'Number of them that are choices: the recording was not among the thirty plays before.';
comment on column mart.my_user_personality.exploration is 'From 0, always the same artists (F), to 1, always other artists (E).';
comment on column mart.my_user_personality.exploration_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.my_user_personality.newness is 'From 0, the oldest music (T), to 1, the newest of its time (N).';
comment on column mart.my_user_personality.newness_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.my_user_personality.loyalty is 'From 0, many different tracks (V), to 1, the same ones on repeat (L).';
comment on column mart.my_user_personality.loyalty_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.my_user_personality.commonality is 'From 0, artists that few play (U), to 1, artists that most play (C).';
comment on column mart.my_user_personality.commonality_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.my_user_personality.what_is_missing is 'Why there are no letters, as a text; NULL if there are.';
