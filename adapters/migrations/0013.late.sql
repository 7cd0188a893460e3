-- Whether rows of this form still tell of a record that is discarded since: they are not those of a replay until one
-- is made. It stands in the row of the form's fold, which every batch locks. (It was infra.discards.late, for the
-- served form alone; nobody reads that any more.)
--
-- A rebuild at work reads this table for minutes, and whoever waits for it to end has all others wait behind: rather
-- tried again, which `python -m ops migrate` does.
set local lock_timeout = '2s';

alter table infra.checkpoints add column late boolean not null default false;

update infra.checkpoints c set late = true
where not c.beside and exists (
    select from infra.discards d where d.topic = c.topic and d.partition = c.partition and d.late
);
