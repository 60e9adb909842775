# What the launch scripts of all studies share: hosts, Python, and that nothing is left behind.
# Sourced by the file of each engine, which they source after they have set `app`.
#
#   launch/ENGINE.sh [--hosts FILE] [options of the study]
#
# FILE lists the hosts, one `host[:slots]` a line (slots: workers there, 1 if not said; `#` begins a
# comment); the first is the head. Without --hosts: this machine, as many workers as it has cores.
# Entries that name this machine start without SSH; the others need the same folder at the same
# path, the same environment, and a key that asks for no password.
#
# Python is $STUDY_PYTHON, else the project's .venv, else what `./pants export` has made.

set -euo pipefail

fail() { # exit code, text
    echo "error: $2" >&2
    exit "$1"
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
app_folder=$(cd "$(dirname "$0")/.." && pwd)

find_python() {
    local candidate
    for candidate in "${STUDY_PYTHON:-}" "$app_folder/.venv/bin/python" "$root/.venv/bin/python" \
        "$root"/dist/export/python/virtualenvs/"$app"/*/bin/python; do
        if [ -n "$candidate" ] && [ -x "$candidate" ]; then
            echo "$candidate"
            return
        fi
    done
    fail 4 "no Python environment for $app: run './pants export --resolve=$app', or set STUDY_PYTHON"
}

read_hosts() { # FILE → hosts, slots
    hosts=() slots=()
    [ -r "$1" ] || fail 5 "$1: cannot be read"
    local line number=0
    while read -r line || [ -n "$line" ]; do
        number=$((number + 1))
        line=${line%%#*}
        [[ $line =~ ^[[:space:]]*(.*[^[:space:]])[[:space:]]*$ ]] || continue
        line=${BASH_REMATCH[1]}
        [[ $line =~ ^([A-Za-z0-9._-]+)(:([1-9][0-9]*))?$ ]] ||
            fail 2 "$1, line $number: expected host[:slots], found '$line'"
        hosts+=("${BASH_REMATCH[1]}")
        slots+=("${BASH_REMATCH[3]:-1}")
    done <"$1"
    [ ${#hosts[@]} -gt 0 ] || fail 2 "$1: no hosts"
}

is_here() { # HOST
    case $1 in localhost | 127.0.0.1 | "$(hostname)" | "$(hostname -f 2>/dev/null)") return 0 ;; esac
    return 1
}

on() { # HOST COMMAND… : run it there, in the project's folder, until it or this script ends
    local host=$1
    shift
    if is_here "$host"; then
        # In a session of its own Ctrl-C does not reach it: this script ends it, in order.
        exec setsid "$@"
    fi
    # With a terminal (-tt) the command there ends when the connection does.
    exec ssh -tt -o BatchMode=yes "$host" \
        "cd $(printf %q "$PWD") && PYTHONPATH=$(printf %q "$PYTHONPATH") $(printf '%q ' "$@")"
}

share_secret() { # FILE TEXT : readable by its owner alone, at the same path on every host
    local host
    for host in "${hosts[@]}"; do
        if is_here "$host"; then
            (umask 077 && printf %s "$2" >"$1")
        else
            printf %s "$2" | ssh -o BatchMode=yes "$host" \
                "umask 077 && mkdir -p $(printf %q "$(dirname "$1")") && cat >$(printf %q "$1")"
        fi
    done
}

free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}

# Every command started with `&` is in `started`; leaving, however, ends what still runs.
started=()
stop_all() {
    local code=$? pid host
    trap '' INT TERM
    for pid in "${started[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    if [ -n "${scratch:-}" ]; then
        rm -rf "$scratch"
        for host in "${hosts[@]}"; do
            is_here "$host" || remove_there "$host" "$scratch" || true
        done
    fi
    exit "$code"
}

remove_there() { # HOST FOLDER : what still ends there may write into it meanwhile
    local folder
    folder=$(printf %q "$2")
    ssh -o BatchMode=yes "$1" "for try in 1 2 3; do
        rm -rf $folder && sleep 1 && [ ! -e $folder ] && exit; done" 2>/dev/null
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ "${1:-}" = --hosts ]; then
    [ $# -ge 2 ] || fail 2 "--hosts needs a file"
    read_hosts "$2"
    shift 2
else
    hosts=(localhost) slots=("$(nproc)")
fi
head=${hosts[0]}
is_here "$head" && head=127.0.0.1
for host in "${hosts[@]}"; do
    # Others must be able to reach the head by a name of its own.
    is_here "$host" || { is_here "${hosts[0]}" && head=$(hostname -f); break; }
done
workers=0
for count in "${slots[@]}"; do workers=$((workers + count)); done
python=$(find_python)
if [ -d "$root/apps/$app" ]; then
    export PYTHONPATH="$root/apps/$app:$root/shared:$root/datasets${PYTHONPATH:+:$PYTHONPATH}"
else
    export PYTHONPATH="${PYTHONPATH:-}"
fi
