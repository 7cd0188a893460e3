-- One row an account that somebody has. The address stands here in the clear; erasure deletes the row.
create table accounts (
    account_key   text        primary key,
    user_id       uuid        not null,
    role          text        not null,
    version       bigint      not null,     -- 1, and one more for each change of password or role
    address       text,                     -- null once the key that sealed it is erased
    password_hash text,                     -- likewise
    data_key_id   uuid        not null,
    registered_at timestamptz not null
);
create index accounts_of_user on accounts (user_id);
create index accounts_by_age on accounts (registered_at desc, user_id desc);
