create view mart.my_user_personality with (security_barrier) as
select m.*
from mart.user_personality as m
where m.user_id = (select s.user_id from audit.signed_in as s);

comment on view mart.my_user_personality is 'Your listening personality, inferred from your plays.';
comment on column mart.my_user_personality.user_id is 'The user.';
comment on column mart.my_user_personality.letters is 'E or F, N or T, L or V, C or U; NULL where too little tells, see what_is_missing.';
comment on column mart.my_user_personality.name is 'Name of the personality.';
comment on column mart.my_user_personality.description is 'The personality''s way of listening in a sentence.';
comment on column mart.my_user_personality.sureness is 'How likely all four letters are right, 0 to 1; for the middle of all four traits 0.06.';
comment on column mart.my_user_personality.plays is 'Number of plays outside of playlists that it was told from: the latest months that have 2,000 together.';
comment on column mart.my_user_personality.dated_plays is 'How many of them are of a recording with a known release date.';
comment on column mart.my_user_personality.choices is 'How many of them begin to play a recording: it was not among the thirty plays before.';
comment on column mart.my_user_personality.exploration is 'From 0, keeps to the same artists (F), to 1, goes to others all the time (E).';
comment on column mart.my_user_personality.exploration_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.my_user_personality.newness is 'From 0, the oldest music (T), to 1, the newest of its time (N).';
comment on column mart.my_user_personality.newness_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.my_user_personality.loyalty is 'From 0, many different tracks (V), to 1, the same ones on repeat (L).';
comment on column mart.my_user_personality.loyalty_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.my_user_personality.commonality is 'From 0, artists that few play (U), to 1, artists that most play (C).';
comment on column mart.my_user_personality.commonality_sureness is 'How likely that letter is right, 0.5 to 1.';
comment on column mart.my_user_personality.what_is_missing is 'Where there are no letters: why, in a sentence.';
