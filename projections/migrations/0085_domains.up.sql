-- Names that are other people's and show sites here. Names are compared byte by byte, as they are asked for.
CREATE TABLE domains (
    name text COLLATE "C" PRIMARY KEY,
    site uuid NOT NULL,
    proof uuid NOT NULL,
    redirect_to text,
    state text NOT NULL,
    attempts integer NOT NULL,
    error text,
    checked_at timestamptz,
    added_at timestamptz NOT NULL,
    added_by text NOT NULL
);
