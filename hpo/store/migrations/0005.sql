-- What another process asks to have changed, as JSON, and what came of it; null while nobody has answered.

alter table request add column what text not null default '';
alter table request add column answer text;

-- The whole spec after an edit, until it stands in spec.yaml; null from then on.

alter table edit add column spec text;
