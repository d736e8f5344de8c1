-- A parent's trial's values of the objectives beside the first one, a list in JSON.

alter table prior_trial add column others text not null default '[]';
