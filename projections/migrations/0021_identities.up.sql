-- What people sign in with, as far as it may be known: what it is called is sealed.
CREATE TABLE identities (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    issuer text NOT NULL,
    account text NOT NULL,
    since timestamptz NOT NULL
);
