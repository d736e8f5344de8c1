-- Several objectives, and what is required of metrics.

alter table trial add column others text;                       -- JSON: values of the objectives beside the first one
alter table trial add column violation real not null default 0; -- how far it misses what is required, in all
