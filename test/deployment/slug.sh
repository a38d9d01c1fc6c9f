#!/usr/bin/env bash
# Makes the slug as Heroku does, in a new folder out of what is committed, says how large it is, and drives it on a real
# Postgres that speaks TLS with a certificate of its own: bash test/deployment/slug.sh
#
# It needs git, Node, and Debian's postgresql with openssl; SLUG_MEMORY_MB (512) is what the web process may take.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; [ -d "$folder/pg" ] && as_postgres "$bin/pg_ctl" -D "$folder/pg" -m fast stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
chmod 755 "$folder"

as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

echo '--- the slug'
git clone -q . "$folder/slug"
(
  cd "$folder/slug"
  npm ci >/dev/null 2>&1
  npm run build >/dev/null 2>&1
  npm prune --omit=dev >/dev/null 2>&1
  npm run heroku-cleanup --silent
  rm -rf .git
)
size=$(du -sm "$folder/slug" | cut -f1)
echo "size: $size MB"
[ "$size" -le 250 ] || { echo 'too large: 250 MB at the most'; exit 1; }

echo '--- a Postgres with TLS and 20 connections'
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
mkdir "$folder/pg" "$folder/tls"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$folder/tls/key" -out "$folder/tls/cert" 2>/dev/null
if [ "$(id -u)" = 0 ]; then chown -R postgres "$folder/pg" "$folder/tls"; fi
chmod 600 "$folder/tls/key"
as_postgres "$bin/initdb" -D "$folder/pg" -A trust -U postgres >/dev/null
as_postgres "$bin/pg_ctl" -D "$folder/pg" -w -l "$folder/pg/log" -o "-p 54329 -k $folder/pg -c listen_addresses=127.0.0.1 -c max_connections=20 -c ssl=on -c ssl_cert_file=$folder/tls/cert -c ssl_key_file=$folder/tls/key" start >/dev/null
echo 'hostssl all all 127.0.0.1/32 trust' | as_postgres tee "$folder/pg/pg_hba.conf" >/dev/null
as_postgres "$bin/pg_ctl" -D "$folder/pg" reload >/dev/null

echo '--- release and web, as the Procfile says'
export DATABASE_URL=postgres://postgres@127.0.0.1:54329/postgres PGSSLMODE=no-verify NODE_ENV=production TRUST_PROXY=1
node test/deployment/slug-drive.mjs "$folder/slug"
