-- Whether rows of this form still tell of a record that is discarded since: they are not those of a replay until one
-- is made. It stands in the row of the form's fold, which every batch locks. (It was infra.discards.late, for the
-- served form alone; nobody reads that any more.)
alter table infra.checkpoints add column late boolean not null default false;

update infra.checkpoints c set late = true
where not c.beside and exists (
    select from infra.discards d where d.topic = c.topic and d.partition = c.partition and d.late
);
