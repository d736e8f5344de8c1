-- The comparison by which a trial was stopped early, as JSON; null where it was not.

alter table trial add column verdict text;
