-- What a job began with: the jobs of its warm start, as they were read when it was created.

create table parent (
    position integer primary key,    -- in the spec's list, from 0
    name text not null,              -- as the spec has it
    type text not null,              -- identical | transfer
    report text not null             -- JSON: what became of its trials
);

-- The parents' completed trials, also those that were of no use: the job may be a parent itself.
create table prior_trial (
    id integer primary key,
    parent integer not null,         -- position of the parent by which it came
    scale text not null,             -- values of one scale can be compared
    job text not null,               -- the job that ran it
    number integer not null,         -- its number there
    params text not null,            -- JSON: everything it was given there, fixed parameters, too
    value real not null,
    mapped text                      -- JSON: its values as this job's space has them; null where unused
);
