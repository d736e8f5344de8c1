-- Which of its trial's runs that count a run is, or is to be, and its value of the objective, once it counts.

alter table run add column repeat integer not null default 1;
alter table run add column value real;
