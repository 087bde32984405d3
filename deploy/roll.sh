#!/bin/sh
# Release the checked-out version without interruption: sh deploy/roll.sh
#
# Builds the image, migrates the database, starts as many new backends as there are old ones,
# waits until they are healthy and the proxy knows them, then stops the old ones. If a new one
# does not become healthy, the old ones keep running and the exit code is not 0.
set -eu
cd "$(dirname "$0")/.."
export COMPOSE_FILE="${COMPOSE_FILE:-compose.prod.yaml}"
compose() { docker compose "$@"; }

compose build backend
compose run --rm migrate
old=$(compose ps --quiet backend)
count=$(printf '%s\n' "$old" | grep -c .)
if ! compose up --detach --wait --no-deps --no-recreate --scale backend=$((2 * count)) backend; then
    new=$(compose ps --all --quiet backend | grep --invert-match --fixed-strings "$old")
    docker rm --force $new
    echo "the new backends are not healthy: the old ones keep running" >&2
    exit 1
fi
compose exec -T proxy nginx -s reload
sleep 1 # until the new workers of the proxy have taken over
for container in $old; do
    docker stop "$container"
    docker rm "$container"
done
