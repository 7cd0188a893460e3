-- One row an issued key of somebody who has an account; they go with the account.
create table api_keys (
    account_key text        not null,
    key_id      uuid        not null,
    user_id     uuid        not null,
    prefix      text        not null,
    hash        bytea       not null,       -- SHA-256 of the key's secret
    scopes      text[]      not null,
    name        text,                       -- null once the key that sealed it is erased
    issued_at   timestamptz not null,
    expires_at  timestamptz,
    revoked_at  timestamptz,
    primary key (account_key, key_id)
);
create index api_keys_by_prefix on api_keys (prefix);
create index api_keys_of_user on api_keys (user_id, issued_at desc, key_id desc);
