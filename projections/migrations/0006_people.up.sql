-- The canonical name of a site's repository, by which a push finds it.
ALTER TABLE sites ADD COLUMN source text NOT NULL;
-- People, as far as they may be known: their names are sealed.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL,
    role text,
    created_at timestamptz NOT NULL,
    signed_in_at timestamptz,
    erased_at timestamptz
);
-- Who belongs to which organization.
CREATE TABLE members (
    organization uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    since timestamptz NOT NULL,
    added_by text NOT NULL,
    PRIMARY KEY (organization, user_id)
);
-- Who is invited.
CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    organization uuid NOT NULL,
    role text NOT NULL,
    user_id uuid NOT NULL,
    email text NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    state text NOT NULL
);
-- The tokens that there are and were; what they are compared with is not here.
CREATE TABLE tokens (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    scopes text NOT NULL,
    organization uuid,
    site uuid,
    maker uuid,
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    revoked_at timestamptz
);
