-- Which of several algorithms begins with a parent's trials; null where the job has not several.

alter table parent add column algorithm text;
