-- The local view of the key topic: wrapped keys and how far the topic was read. Made anew whenever it is in doubt.

create table if not exists facts (
    name text primary key,
    value text not null
) without rowid;

create table if not exists positions (
    partition integer primary key,
    next_offset integer not null
);

-- A marker (erased = 1) is for ever. `behind_marker` says that the last record seen was a key all the same.
create table if not exists keys (
    user_id blob not null,
    key_id blob not null,
    master_key_id text,
    wrapped blob,
    erased integer not null,
    behind_marker integer not null,
    primary key (user_id, key_id)
) without rowid;
