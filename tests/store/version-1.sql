-- A job's database as version 1 wrote it.
BEGIN TRANSACTION;
CREATE TABLE edit (
    at real not null,
    what text not null
);
CREATE TABLE job (
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
INSERT INTO "job" VALUES('digits','{"job": "digits", "objective": {"metric": "f1", "goal": "maximize", "take": "best", "step": "epoch"}, "max_jobs": 10, "max_parallel_jobs": 4, "max_runtime": 60.5, "max_job_runtime": null, "max_failures": null, "target": 0.9, "not_improving_for": null, "attempts": 2}','random','process',7,'abc','/base','running','','',1.5,NULL);
CREATE TABLE point (
    id integer primary key,
    trial integer not null,
    run integer not null,
    metric text not null,
    step real not null,
    value real,
    at real not null
);
INSERT INTO "point" VALUES(1,1,1,'f1',1.0,0.5,2.5);
INSERT INTO "point" VALUES(2,1,2,'f1',1.0,0.6,5.0);
INSERT INTO "point" VALUES(3,1,2,'f1',2.0,0.7,6.0);
CREATE TABLE request (
    id integer primary key,
    kind text not null,              -- stop | stop at once
    at real not null
);
CREATE TABLE run (
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
INSERT INTO "run" VALUES(1,1,'lost','process','digits-0001-1','12','[{"f1": 1}, {"f1": 0.5}, 0.5]','',0.0,2.0,3.0,NULL,0,'lost','gone');
INSERT INTO "run" VALUES(1,2,'succeeded','process','digits-0001-2','24','[{"f1": 2}, {"f1": 0.7}, 0.7]','',0.0,4.0,9.5,NULL,0,NULL,'');
INSERT INTO "run" VALUES(2,1,'queued',NULL,NULL,'','','no GPU is free',11.0,NULL,NULL,NULL,0,NULL,'');
CREATE TABLE session (
    id integer primary key,
    pid integer not null,
    started real not null,
    seen real not null               -- the last time it was known to be alive
);
INSERT INTO "session" VALUES(1,1,1.6,10.0);
CREATE TABLE trial (
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
INSERT INTO "trial" VALUES(1,'{"lr": 0.1, "depth": 3, "kind": "a"}','random','m','completed',NULL,'',0.7,1.75,9.5,1);
INSERT INTO "trial" VALUES(2,'{"lr": 0.2, "depth": 1, "kind": null}','random','','proposed',NULL,'',NULL,10.0,NULL,NULL);
CREATE INDEX point_of_trial on point (trial, run);
COMMIT;
pragma user_version = 1;
