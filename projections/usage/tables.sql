-- One line a result that counted, and it stays whatever becomes of the asset: what was spent is spent.
create table usage (
    partition     integer not null,
    "offset"      bigint  not null,
    owner_id      uuid    not null,
    asset_id      uuid    not null,
    job_id        uuid    not null,
    preset_set    text    not null,
    day           date    not null,           -- of the result, in UTC
    cpu_ms        bigint  not null,
    wall_ms       bigint  not null,
    bytes_read    bigint  not null,
    bytes_written bigint  not null,
    primary key (partition, "offset")
);
create index usage_of_owner on usage (owner_id, day);
create index usage_in_time on usage (day);
