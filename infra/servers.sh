# What infra/hdfs/hdfs and infra/s3/s3 share; sourced by them. A server is a background process in
# a session of its own, `NAME.pid` and `NAME.log` in its folder; it holds no stream of the script's.

set -euo pipefail

fail() { # exit code, text
  echo "error: $2" >&2
  exit "$1"
}

say() { echo "$*" >&2; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}

is_running() { # FOLDER NAME; a process that took the number of a dead server is none
  local pid words="" tries
  pid=$(cat "$1/$2.pid" 2>/dev/null) || return 1
  [ -d /proc ] || { kill -0 "$pid" 2>/dev/null; return; }
  for tries in {1..100}; do
    # Its first words, because an environment of others cannot be read: the mark is an argument.
    words=$({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null) || return 1
    # For a moment it has none: while it becomes another program.
    [ -z "$words" ] && ! has_ended "$pid" || break
    sleep 0.02
  done
  [[ $words = *"$(cat "$1/$2.mark")"* ]]
}

has_ended() { # PID; nobody may have asked for its code yet
  ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null
}

launch() { # FOLDER NAME MARK COMMAND…: MARK is a text of the command line that no other has
  local folder=$1 name=$2 mark=$3
  shift 3
  printf %s "$mark" >"$folder/$name.mark"
  setsid "$@" >>"$folder/$name.log" 2>&1 </dev/null &
  echo $! >"$folder/$name.pid"
  disown
  # For a moment it is still this script by its command line.
  until is_running "$folder" "$name" || ! kill -0 $! 2>/dev/null; do sleep 0.02; done
}

end() { # FOLDER NAME: ask, wait ten seconds, then insist
  local pid tries
  if is_running "$1" "$2"; then
    pid=$(cat "$1/$2.pid")
    kill -TERM "$pid" 2>/dev/null || true
    for tries in {1..100}; do
      is_running "$1" "$2" || break
      [ "$tries" != 100 ] || kill -KILL "$pid" 2>/dev/null || true
      sleep 0.1
    done
  fi
  rm -f "$1/$2.pid" "$1/$2.mark"
}

answers() { # PORT: whether something on this machine listens there
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

wait_until() { # SECONDS COMMAND…
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.2
  done
}

made_once() { # FOLDER COMMAND… TEMPORARY: the command makes the folder; several may ask at once
  local folder=$1
  shift
  [ -d "$folder" ] && return
  mkdir -p "$(dirname "$folder")"
  (
    flock 9
    [ -d "$folder" ] && exit
    rm -rf "$folder.part"
    mkdir "$folder.part"
    "$@" "$folder.part" >&2 || exit 1
    mv "$folder.part" "$folder"
  ) 9>"$folder.lock" || fail 4 "could not be made: $folder"
}

absolute() { # a path that need not exist yet
  case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac
}
