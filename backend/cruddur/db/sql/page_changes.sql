-- name: read
{page_changes}
