-- What projectors keep beside their read models, none of it derived from a clock or a sequence.

create schema infra;

-- Each version of a read model, and the Postgres schema that holds its tables. Queries see the active one.
create table infra.read_models (
    name text not null,
    version int not null check (version > 0),
    schema_name text not null unique,
    active boolean not null default false,
    primary key (name, version)
);

create unique index one_active on infra.read_models (name) where active;

-- The next offset to apply. `topic_id` tells a topic that was made anew from the one that was applied.
create table infra.checkpoints (
    read_model text not null,
    version int not null,
    topic text not null,
    partition int not null,
    topic_id text,
    next_offset bigint not null default 0 check (next_offset >= 0),
    primary key (read_model, version, topic, partition)
);

-- Records set aside: the one that can't be applied (blocking) and the later ones of its key.
create table infra.quarantine (
    read_model text not null,
    version int not null,
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    key bytea,
    code text not null,
    error_kind text not null,
    blocking boolean not null,
    first_failed_at timestamptz,
    primary key (read_model, version, topic, partition, "offset")
);

create index quarantine_keys on infra.quarantine (topic, partition, key);

-- Which records a component has sent to the dead letters, so that a replay says none of them twice.
create table infra.dead_lettered (
    component text not null,
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    code text not null,
    primary key (component, topic, partition, "offset")
);
