-- Copies of read models: filled beside the live ones, then written along with them until one is dropped.

-- One copy a read model, in a Postgres schema of its own. `state` is filling, following (every partition is written
-- along), former (it was live until a switch) or broken (a batch could not be written to it).
create table infra.copies (
    name text primary key,
    version int not null,
    schema_name text not null unique,
    state text not null check (state in ('filling', 'following', 'former', 'broken')),
    begun_at timestamptz not null default now()
);

-- What of a copy is filled: so many records of that partition, from its beginning.
create table infra.copied_partitions (
    name text not null references infra.copies on delete cascade,
    partition int not null,
    records bigint not null,
    primary key (name, partition)
);

-- Whether batches of this read model and partition are written to its copy too. It stands in the row that every
-- batch locks, so that none misses the moment.
alter table infra.checkpoints add column copied boolean not null default false;
