-- Search finds the same words in every database. Before, PostgreSQL split a text by the rules of the
-- database's LC_CTYPE: with C, which the embedded server has, each non-ASCII character is a letter.
--
-- Returns the words of a text with spaces between them, in the form in which search compares them:
-- without case, accents, vowel points and compatibility forms. A text of a script without spaces
-- between words becomes single letters, and a word is found as a phrase of them. The collation is
-- named, so the locales of the database and of the server do not matter.
CREATE FUNCTION search_text(message text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    words text COLLATE pg_unicode_fast := message;
BEGIN
    IF octet_length(words) = char_length(words) THEN -- ASCII
        RETURN regexp_replace(lower(words), '[^a-z0-9]+', ' ', 'g');
    END IF;
    words := translate(words, '™℠', '  '); -- NFKD would make letters of them
    words := normalize(casefold(words), NFKD);
    -- Latin letters that Unicode does not decompose, as in CLDR's Latin-ASCII.
    words := translate(words, 'đðħıłøŧ', 'ddhilot');
    words := replace(replace(replace(words, 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    -- Accents, but not the breve of Cyrillic й and ў, which are letters; Hebrew and Arabic points.
    words := regexp_replace(
        words,
        '(?<![\u0400-\u052f])[\u0300-\u036f]+|[\u0300\u0301]|(?<=е)\u0308'
        '|[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]'
        '|[\u0610-\u061a\u0640\u064b-\u0652\u0670]',
        '', 'g'
    );
    words := normalize(words, NFC);
    -- What is ignored by default. U+200B is a space between words.
    words := regexp_replace(
        words,
        '[\u00ad\u034f\u061c\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff'
        '\U000e0000-\U000e0fff]+',
        '', 'g'
    );
    -- Punctuation, spaces and symbols.
    words := regexp_replace(
        words,
        '[[:punct:][:space:][:cntrl:]\u0020-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4'
        '\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u02c2-\u02df\u2000-\u2bff\u3000-\u3004\u3008-\u3020'
        '\u3030\u3036-\u303f\ufff0-\uffff\U0001f000-\U0001faff]+',
        ' ', 'g'
    );
    -- Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean: each letter with its marks.
    RETURN regexp_replace(
        words,
        '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff'
        '\U0001b000-\U0001b16f\U00020000-\U0003fffd]'
        '[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059'
        '\u105e-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u17b4-\u17d3\u17dd\u302a-\u302f]*)',
        ' \1 ', 'g'
    );
END
$$;

-- The words by their English stems, and as they are.
CREATE FUNCTION search_vector(message text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT to_tsvector('english', words.folded) || to_tsvector('simple', words.folded)
    FROM (SELECT search_text(search_vector.message) AS folded OFFSET 0) AS words;
END;

-- Rewrites the table and its indexes.
ALTER TABLE activities ALTER COLUMN search SET EXPRESSION AS (search_vector(message));
