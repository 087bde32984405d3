SELECT
    true;
