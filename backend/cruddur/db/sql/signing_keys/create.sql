INSERT INTO signing_keys (kid, private_key)
VALUES (:kid, :private_key)
