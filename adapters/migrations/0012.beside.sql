-- Whether this form of a read model stands beside the one that is served. It stands in the row that every batch
-- locks, so that no program writes on as before once another form is served.
alter table infra.checkpoints add column beside boolean not null default false;
