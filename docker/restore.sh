#!/usr/bin/env bash
# Put a backup back, into empty volumes: docker/restore.sh FOLDER
set -euo pipefail
folder="$(cd "$1" && pwd)"
cd "$(dirname "$0")/.."
compose="${COMPOSE:-docker compose}"

$compose up --no-start
worker="$($compose ps -aq worker)"
mlflow="$($compose ps -aq mlflow)"

if docker cp "$worker:/var/lib/llmeval/home" - >/dev/null 2>&1; then
    echo "the volumes are not empty; \`$compose down --volumes\` deletes what is in them" >&2
    exit 2
fi

# As the user in the containers; into the volumes, since the rest of a container is read-only.
own=(--owner=10001 --group=10001)
tar "${own[@]}" --create --directory="$folder" home | docker cp - "$worker:/var/lib/llmeval"
tar "${own[@]}" --create --directory="$folder/mlflow" . | docker cp - "$mlflow:/mlflow"

services=" $($compose config --services | tr '\n' ' ') "
if [[ $services == *" postgres "* ]]; then
    $compose up -d postgres
    until $compose exec -T postgres pg_isready --quiet --host=127.0.0.1 --dbname=jobs; do sleep 1; done
    for database in jobs mlflow; do
        $compose exec -T postgres pg_restore --username=llmeval --dbname="$database" \
            --clean --if-exists --no-owner --exit-on-error <"$folder/$database.dump"
    done
fi
echo "restored; now \`$compose up -d\`"
