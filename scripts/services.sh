#!/usr/bin/env bash
#
# Real PostgreSQL (>= 15, with pgvector) and Redis for the test suites, on a Debian machine without Docker.
#
#   scripts/services.sh up      start what is not running, then print two lines on stdout:
#                                 TEST_DATABASE_URL=postgres://...
#                                 TEST_REDIS_URL=redis://...
#   scripts/services.sh down    stop both and delete their data; succeeds when nothing runs
#
#   set -a; eval "$(scripts/services.sh up)"; set +a; npm test
#
# Everything but those two lines goes to stderr. Missing packages are installed with apt, as root or through sudo.
# The servers listen on free ports of 127.0.0.1 and keep their data under ${TMPDIR:-/tmp}/nexusrag-services.
# They trade durability for speed and ask for no password: for test data on one's own machine, nothing else.

set -euo pipefail

STATE="${TMPDIR:-/tmp}/nexusrag-services"
LOCK="${STATE}.lock"
PG_DATA="$STATE/postgres"
PG_PORT_FILE="$STATE/postgres.port"
PG_LOG="$STATE/postgres.log"
REDIS_PID_FILE="$STATE/redis.pid"
REDIS_PORT_FILE="$STATE/redis.port"
NAME=nexusrag
POLICY=/usr/sbin/policy-rc.d
POLICY_SAVED="$POLICY.before-nexusrag"

say() { printf 'services: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

as_root() {
  if is_root; then "$@"; else sudo "$@"; fi
}

# Postgres refuses to run as root, so there it runs under the account that its package made.
as_postgres() {
  if is_root; then runuser -u postgres -- "$@"; else "$@"; fi
}

# --- packages -------------------------------------------------------------------------------------------------

apt_refreshed=no
apt_refresh() {
  [ "$apt_refreshed" = yes ] && return
  say 'apt-get update'
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
  apt_refreshed=yes
}

restore_policy() {
  trap - EXIT
  if [ -e "$POLICY_SAVED" ]; then
    as_root mv -f "$POLICY_SAVED" "$POLICY"
  else
    as_root rm -f "$POLICY"
  fi
}

# Installs without letting Debian start the packaged services, which would sit on the standard ports.
apt_install() {
  apt_refresh
  say "apt-get install $*"
  # A copy left by a run that was killed is the original: keep it.
  if [ -e "$POLICY" ] && [ ! -e "$POLICY_SAVED" ]; then as_root mv "$POLICY" "$POLICY_SAVED"; fi
  trap restore_policy EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
  as_root chmod 755 "$POLICY"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
  restore_policy
}

# Newest installed server version that is new enough; prints nothing when there is none.
installed_postgres() {
  local initdb version best=''
  for initdb in /usr/lib/postgresql/*/bin/initdb; do
    [ -x "$initdb" ] || continue
    version="${initdb#/usr/lib/postgresql/}"
    version="${version%%/*}"
    if [ "$version" -ge 15 ] && [ "$version" -gt "${best:-0}" ]; then best="$version"; fi
  done
  printf '%s' "$best"
}

ensure_packages() {
  PG_VERSION="$(installed_postgres)"
  if [ -z "$PG_VERSION" ]; then
    apt_install postgresql
    PG_VERSION="$(installed_postgres)"
    [ -n "$PG_VERSION" ] || die 'this Debian release packages no PostgreSQL >= 15'
  fi
  PG_BIN="/usr/lib/postgresql/$PG_VERSION/bin"
  if ! command -v redis-server >/dev/null || ! command -v redis-cli >/dev/null; then apt_install redis-server; fi
  ensure_pgvector
}

ensure_pgvector() {
  local control="/usr/share/postgresql/$PG_VERSION/extension/vector.control"
  [ -e "$control" ] && return
  apt_refresh
  if apt-cache show "postgresql-$PG_VERSION-pgvector" >/dev/null 2>&1; then
    apt_install "postgresql-$PG_VERSION-pgvector"
  else
    build_pgvector
  fi
  [ -e "$control" ] || die "pgvector was installed, yet $control is missing"
}

# Debian 12 has no pgvector package: builds the source package of Debian 13 against the installed server.
build_pgvector() {
  local scratch mirror apt
  apt_install build-essential "postgresql-server-dev-$PG_VERSION"
  # The same mirror that this machine already uses, whichever that is.
  # shellcheck disable=SC2016 # apt expands it
  mirror="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sed -n 1p)"
  [ -n "$mirror" ] || die 'no Debian mirror among the apt sources of this machine'
  scratch="$(mktemp -d)"
  mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$scratch/parts" "$scratch/source"
  printf 'deb-src [signed-by=%s] %s trixie main\n' /usr/share/keyrings/debian-archive-keyring.gpg "$mirror" \
    >"$scratch/sources.list"
  # Lists and caches of its own: the machine's own apt state does not see Debian 13.
  apt=(apt-get -q
    -o "Dir::Etc::SourceList=$scratch/sources.list" -o "Dir::Etc::SourceParts=$scratch/parts"
    -o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache=$scratch/cache"
    -o "APT::Sandbox::User=$(id -un)")
  say 'building pgvector from the source package of Debian 13'
  "${apt[@]}" update
  (cd "$scratch/source" && "${apt[@]}" source --download-only pgvector)
  dpkg-source --no-check -x "$scratch"/source/pgvector_*.dsc "$scratch/pgvector"
  # OPTFLAGS="": no -march=native, so that the library also runs on another machine with the same image.
  make -C "$scratch/pgvector" OPTFLAGS="" with_llvm=no PG_CONFIG="$PG_BIN/pg_config"
  as_root make -C "$scratch/pgvector" OPTFLAGS="" with_llvm=no PG_CONFIG="$PG_BIN/pg_config" install
  as_root rm -rf "$scratch"
}

# --- servers --------------------------------------------------------------------------------------------------

# A port below the ephemeral range on which nothing listens. Another process may still take it: callers retry.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 4<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      printf '%s' "$port"
      return
    fi
  done
}

postgres_running() { as_postgres "$PG_BIN/pg_ctl" -D "$PG_DATA" status >/dev/null 2>&1; }

psql_quietly() {
  "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(cat "$PG_PORT_FILE")" -U "$NAME" "$@"
}

init_postgres() {
  say "creating a PostgreSQL $PG_VERSION cluster"
  # An initdb that was interrupted leaves a folder that the next one refuses.
  rm -rf "$PG_DATA"
  mkdir -m 700 "$PG_DATA"
  if is_root; then chown postgres: "$PG_DATA"; fi
  # Trust: whoever can reach the loopback interface of this machine may log in. Only test data lives here.
  as_postgres "$PG_BIN/initdb" -D "$PG_DATA" -U "$NAME" --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync
  as_postgres tee -a "$PG_DATA/postgresql.conf" >/dev/null <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
# A crash of the machine may lose everything, which is fine for tests and makes commits several times faster.
fsync = off
synchronous_commit = off
full_page_writes = off
CONF
  touch "$STATE/postgres.initialised"
}

start_postgres() {
  [ -e "$STATE/postgres.initialised" ] || init_postgres
  if ! postgres_running; then
    touch "$PG_LOG"
    if is_root; then chown postgres: "$PG_LOG"; fi
    local attempt port
    for attempt in 1 2 3 4 5; do
      port="$(free_port)"
      say "starting PostgreSQL on port $port"
      # Descriptors 3 (our stdout) and 9 (the lock) must not stay open in the server.
      if as_postgres "$PG_BIN/pg_ctl" -D "$PG_DATA" -l "$PG_LOG" -o "-p $port" -w -t 60 start 3>&- 9>&-; then break; fi
      [ "$attempt" -lt 5 ] || die "PostgreSQL does not start, see $PG_LOG"
    done
    printf '%s' "$port" >"$PG_PORT_FILE"
  fi
  if [ -z "$(psql_quietly -d postgres -Atc "SELECT 1 FROM pg_database WHERE datname = '$NAME'")" ]; then
    psql_quietly -d postgres -c "CREATE DATABASE $NAME"
  fi
  # Rolled back: whether a database gets the extension is for the migrations to say.
  psql_quietly -d template1 -At -c "BEGIN; CREATE EXTENSION vector; SELECT '[1,2]'::vector <-> '[1,3]'; ROLLBACK" \
    >/dev/null || die 'CREATE EXTENSION vector fails'
}

# True only for our own instance, not for a stranger on the same port.
redis_running() {
  [ -s "$REDIS_PID_FILE" ] && [ -s "$REDIS_PORT_FILE" ] &&
    redis-cli -h 127.0.0.1 -p "$(cat "$REDIS_PORT_FILE")" info server 2>/dev/null | tr -d '\r' |
    grep -qx "process_id:$(cat "$REDIS_PID_FILE")"
}

start_redis() {
  redis_running && return
  local attempt port wait
  for attempt in 1 2 3 4 5; do
    port="$(free_port)"
    say "starting Redis on port $port"
    rm -f "$REDIS_PID_FILE"
    printf '%s' "$port" >"$REDIS_PORT_FILE"
    redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --daemonize yes --dir "$STATE" \
      --pidfile "$REDIS_PID_FILE" --logfile "$STATE/redis.log" 3>&- 9>&-
    for wait in {1..100}; do
      redis_running && return
      sleep 0.1
      # A server that could not bind its port is gone by now.
      if [ "$wait" -ge 20 ] && [ ! -s "$REDIS_PID_FILE" ]; then break; fi
    done
  done
  die "Redis does not start after $attempt attempts, see $STATE/redis.log"
}

# --- commands -------------------------------------------------------------------------------------------------

up() {
  ensure_packages
  # A folder that someone else made beforehand could hand us a cluster of theirs.
  mkdir -p "$STATE"
  [ -O "$STATE" ] || die "$STATE belongs to someone else"
  chmod 755 "$STATE"
  cd "$STATE"
  start_postgres
  start_redis
  printf 'TEST_DATABASE_URL=postgres://%s@127.0.0.1:%s/%s\n' "$NAME" "$(cat "$PG_PORT_FILE")" "$NAME" >&3
  printf 'TEST_REDIS_URL=redis://127.0.0.1:%s\n' "$(cat "$REDIS_PORT_FILE")" >&3
}

stop_redis() {
  local pid wait
  redis_running || return 0
  say 'stopping Redis'
  pid="$(cat "$REDIS_PID_FILE")"
  redis-cli -h 127.0.0.1 -p "$(cat "$REDIS_PORT_FILE")" shutdown nosave || true
  for wait in {1..100}; do
    [ -d "/proc/$pid" ] || return 0
    sleep 0.1
  done
  die "Redis (process $pid) does not stop after $wait tenths of a second"
}

stop_postgres() {
  PG_BIN="/usr/lib/postgresql/$(cat "$PG_DATA/PG_VERSION" 2>/dev/null || true)/bin"
  postgres_running || return 0
  say 'stopping PostgreSQL'
  # Immediate: the data is deleted next, so there is nothing to write out.
  as_postgres "$PG_BIN/pg_ctl" -D "$PG_DATA" -w -m immediate stop
}

down() {
  [ -d "$STATE" ] || return 0
  [ -O "$STATE" ] || die "$STATE belongs to someone else"
  cd "$STATE"
  stop_redis
  stop_postgres
  cd /
  rm -rf "$STATE"
  say 'stopped, data deleted'
}

main() {
  # Stdout carries the two URLs and nothing else, whatever the tools print.
  exec 3>&1 1>&2
  # One at a time: two concurrent `up` would create the cluster twice.
  exec 9>>"$LOCK"
  flock 9
  case "${1:-}" in
    up) up ;;
    down) down ;;
    *) die 'usage: services.sh up|down' ;;
  esac
}

main "$@"
