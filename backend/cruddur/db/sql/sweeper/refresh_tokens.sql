-- A refresh token that was exchanged so long ago that nobody holds a copy of it any more.
DELETE FROM refresh_tokens
WHERE used_at BETWEEN '-infinity' AND now() - interval '7 days'
