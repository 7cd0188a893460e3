-- Files and bytes of one owner, counted by partition, so that no row is ever fed by two; readers sum them.
create table storage (
    partition  integer not null,
    owner_id   uuid    not null,
    kind       text    not null,              -- original or variant
    status     text    not null,              -- the asset's
    trashed    boolean not null,
    format     text    not null,              -- the content type's part behind the slash
    files      bigint  not null,
    bytes      bigint  not null,
    primary key (partition, owner_id, kind, status, trashed, format)
);
create index storage_of_owner on storage (owner_id);
