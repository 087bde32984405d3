-- Live cruds that contain the words, have a tag or are by a user, the best match first.
-- Only the newest thousand matches of the words are ranked, so that a common word is not slow.
-- The 200 newest cruds serve to estimate how common the words are, because there are no
-- statistics. Common words are searched in the newest 20,000 cruds. Rare ones, and those with too
-- few matches there, are searched with the index.
WITH viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
),
-- Each term is a phrase of its words, so that a part of an address or of a Chinese text is found.
-- The term "or" stays the operator.
terms AS MATERIALIZED (
    SELECT
        (
            SELECT string_agg(
                CASE WHEN word.term = 'or' THEN word.term ELSE '"' || search_text(word.term) || '"' END,
                ' '
                ORDER BY word.place
            )
            FROM unnest(:words::text[]) WITH ORDINALITY AS word (term, place)
        ) AS wanted,
        (
            SELECT string_agg('"' || search_text(word.term) || '"', ' or ')
            FROM unnest(:unwanted::text[]) AS word (term)
        ) AS unwanted
),
query AS MATERIALIZED (
    SELECT
        websearch_to_tsquery('english', COALESCE(terms.wanted, ''))
            || websearch_to_tsquery('simple', COALESCE(terms.wanted, '')) AS wanted,
        websearch_to_tsquery('english', COALESCE(terms.unwanted, ''))
            || websearch_to_tsquery('simple', COALESCE(terms.unwanted, '')) AS unwanted
    FROM terms
),
sample AS MATERIALIZED (
    SELECT count(*) >= 20 AS is_common
    FROM (
        SELECT activities.search
        FROM activities
        ORDER BY activities.uuid DESC
        LIMIT 200
    ) AS newest
    WHERE newest.search @@ (SELECT query.wanted FROM query)
),
among_newest AS MATERIALIZED (
    SELECT
        newest.uuid,
        newest.search
    FROM (
        SELECT
            activities.uuid,
            activities.search,
            activities.expires_at
        FROM activities
        WHERE (SELECT sample.is_common FROM sample)
        ORDER BY activities.uuid DESC
        LIMIT 20000
    ) AS newest
    WHERE newest.search @@ (SELECT query.wanted FROM query)
      AND NOT newest.search @@ (SELECT query.unwanted FROM query)
      AND newest.expires_at > now()
    LIMIT 1000
),
among_all AS MATERIALIZED (
    SELECT
        found.uuid,
        found.search
    FROM (
        SELECT
            activities.uuid,
            activities.search
        FROM activities
        WHERE (SELECT count(*) < 1000 FROM among_newest)
          AND activities.search @@ (SELECT query.wanted FROM query)
          AND NOT activities.search @@ (SELECT query.unwanted FROM query)
          AND activities.expires_at > now()
        OFFSET 0
    ) AS found
    ORDER BY found.uuid DESC
    LIMIT 1000
),
newest AS (
    SELECT among_newest.uuid, among_newest.search
    FROM among_newest
    WHERE (SELECT count(*) = 1000 FROM among_newest)
    UNION ALL
    SELECT among_all.uuid, among_all.search
    FROM among_all
),
hits AS (
    SELECT
        newest.uuid,
        (ts_rank_cd(newest.search, query.wanted) * 1000)::bigint + 1 AS rank
    FROM newest
    CROSS JOIN query
    UNION ALL
    SELECT
        activity_tags.activity_uuid AS uuid,
        100000 AS rank
    FROM activity_tags
    WHERE activity_tags.tag = ANY(:tags)
    UNION ALL
    SELECT
        activities.uuid,
        10000 AS rank
    FROM users
    JOIN activities ON activities.user_uuid = users.uuid
    WHERE users.handle = ANY(:handles)
      AND activities.expires_at > now()
),
ranked AS MATERIALIZED (
    SELECT
        hits.uuid,
        sum(hits.rank)::bigint AS rank
    FROM hits
    GROUP BY hits.uuid
),
-- Checks the best matches one by one until the page is full.
page AS MATERIALIZED (
    SELECT
        best.uuid,
        best.rank
    FROM (
        SELECT
            ranked.uuid,
            ranked.rank
        FROM ranked
        WHERE (ranked.rank, ranked.uuid) < (
            COALESCE(:before_rank, 9223372036854775807),
            COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
        )
        ORDER BY ranked.rank DESC, ranked.uuid DESC
        OFFSET 0
    ) AS best
    WHERE (
        SELECT
            activities.expires_at > now()
            AND NOT activities.search @@ (SELECT query.unwanted FROM query)
        FROM activities
        WHERE activities.uuid = best.uuid
    )
    LIMIT :limit
),
shown AS MATERIALIZED (
    SELECT page.uuid FROM page
),
people AS MATERIALIZED (
    {people_on_page}
),
hidden AS MATERIALIZED (
    {hidden_on_page}
    UNION ALL
    {limited_on_page}
)
SELECT
    viewer.uuid AS viewer,
    {crud_columns},
    {viewer_reactions},
    {viewer_hides},
    page.rank
FROM viewer
LEFT JOIN (
    page
    JOIN live_activities
        ON live_activities.uuid = page.uuid
        AND live_activities.uuid = ANY(ARRAY(SELECT page.uuid FROM page))
) ON true
ORDER BY page.rank DESC, page.uuid DESC
