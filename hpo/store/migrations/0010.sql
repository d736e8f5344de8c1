-- Whether a parent's trial lies outside of the ranges: no result, but evidence of what lies next to it.

alter table prior_trial add column beyond integer not null default 0;
