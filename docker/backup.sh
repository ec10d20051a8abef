#!/usr/bin/env bash
# Back up what the containers keep, while they run: docker/backup.sh FOLDER
#
# From what depends on most to what depends on least: jobs, journal, MLflow. A job or a delivery that is
# older than what it speaks of is simply done again, and changes nothing.
set -euo pipefail
folder="$(mkdir -p "$1" && cd "$1" && pwd)"
cd "$(dirname "$0")/.."
compose="${COMPOSE:-docker compose}"

# Write the databases of a service's folder into the folder of the backup.
copy_databases() { # service, its folder, ours
    $compose exec -T "$1" python - "$2" <docker/online_backup.py
    docker cp "$($compose ps -q "$1"):$2/backup/." "$3"
    $compose exec -T "$1" rm -r "$2/backup"
}

# Copy a folder of a service, if it is there.
copy_folder() { # service, its folder, ours
    if $compose exec -T "$1" test -d "$2"; then
        docker cp "$($compose ps -q "$1"):$2" "$3"
    fi
}

services=" $($compose config --services | tr '\n' ' ') "
dump() { # database
    if [[ $services == *" postgres "* ]]; then
        $compose exec -T postgres pg_dump --username=llmeval --format=custom "$1" >"$folder/$1.dump"
    fi
}

mkdir -p "$folder/home" "$folder/mlflow"
dump jobs
copy_databases worker /var/lib/llmeval/home "$folder/home"
copy_folder worker /var/lib/llmeval/home/jobs "$folder/home"
dump mlflow
copy_databases mlflow /mlflow "$folder/mlflow"
copy_folder mlflow /mlflow/artifacts "$folder/mlflow"
echo "backed up to $folder"
