CREATE TABLE notes (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
    text text NOT NULL CHECK (char_length(text) <= 10000),
    created_at timestamptz NOT NULL DEFAULT now()
);
