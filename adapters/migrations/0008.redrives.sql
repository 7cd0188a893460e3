-- Keys of which somebody wants the records that were set aside read again; lost, it is asked for again.
create table infra.redrives (
    read_model text not null,
    version int not null,
    topic text not null,
    partition int not null,
    key bytea not null,
    asked_at timestamptz not null,
    primary key (read_model, version, topic, partition, key)
);

-- Records that no fold takes, as events of the same log say; known before a replay comes to the record.
create table infra.discards (
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    said_at bigint not null,                  -- the offset of the event that says so
    primary key (topic, partition, "offset")
);

-- How often it was read again in vain, and when that was last.
alter table infra.quarantine
    add column redrives int not null default 0,
    add column last_failed_at timestamptz;
