-- Counts an attempt and returns the number of attempts in the current window. A bucket is named
-- after an e-mail address, so only its digest is stored.
INSERT INTO throttles (bucket, attempts, resets_at)
VALUES (encode(sha256(convert_to(:bucket, 'UTF8')), 'hex'), 1, now() + :period)
ON CONFLICT (bucket) DO UPDATE
    SET
        attempts = CASE WHEN throttles.resets_at > now() THEN throttles.attempts + 1 ELSE 1 END,
        resets_at = CASE WHEN throttles.resets_at > now() THEN throttles.resets_at ELSE EXCLUDED.resets_at END
RETURNING
    attempts,
    ceil(extract(epoch FROM resets_at - now()))::integer AS retry_after
