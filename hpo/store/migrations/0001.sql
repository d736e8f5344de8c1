-- One tuning job. Times are seconds since the epoch; durations are seconds.

create table job (
    name text not null,
    settings text not null,          -- JSON: limits, objective, rules, as the state machine needs them
    strategy text not null,
    launcher text not null,
    seed integer not null,
    digest text not null,            -- of what of the spec may not change any more
    base text not null,              -- the folder from which the spec's relative paths count
    status text not null,
    end_reason text not null,
    end_detail text not null,
    created real not null,
    ended real
);

-- A row for each process that ran the job; their spans added up are the job's elapsed time.
create table session (
    id integer primary key,
    pid integer not null,
    started real not null,
    seen real not null               -- the last time it was known to be alive
);

-- What other processes ask of the one that runs the job.
create table request (
    id integer primary key,
    kind text not null,              -- stop | stop at once
    at real not null
);

-- Changes to the spec after the job was created.
create table edit (
    at real not null,
    what text not null
);

create table trial (
    number integer primary key,
    params text not null,            -- JSON, in the order of the spec
    proposed_by text not null,
    memo text not null,
    status text not null,
    reason text,
    detail text not null,
    value real,
    created real not null,
    ended real,
    place integer                    -- the how-manieth to end
);

-- One launch of a trial; attempts are numbered from 1.
create table run (
    trial integer not null,
    number integer not null,
    state text not null,
    launcher text,
    handle text,                     -- the launcher's own id
    cursor text not null,            -- how far the log is read, committed with the points read up to it
    progress text not null,          -- JSON
    waiting text not null,
    not_before real not null,
    started real,
    ended real,
    stop_sent real,
    stopped_at_once integer not null,
    reason text,
    detail text not null,
    primary key (trial, number)
) without rowid;

-- Every match of every metric, in the order of the log. A null value is NaN.
create table point (
    id integer primary key,
    trial integer not null,
    run integer not null,
    metric text not null,
    step real not null,
    value real,
    at real not null
);

create index point_of_trial on point (trial, run);
