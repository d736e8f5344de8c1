-- Whose parameters a trial has, where the job has several algorithms.

alter table trial add column algorithm text;
