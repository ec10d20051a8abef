#!/usr/bin/env bash
# What the stand-in for the official image does of its work: make the database, then run it.
set -euo pipefail
export PGDATA=/var/lib/postgresql/data
PATH="$(echo /usr/lib/postgresql/*/bin):$PATH"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username="$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") \
        --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl --wait --options="-c listen_addresses=''" start
    createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
    for file in /docker-entrypoint-initdb.d/*.sql; do
        psql --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" --file="$file"
    done
    pg_ctl --wait --mode=fast stop
fi
exec postgres -c listen_addresses='*'
