# What the launch scripts of all studies share; sourced by them after they have set `app`.
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

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
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

start_ray() { # A Ray cluster of all hosts, at $head:$port, which only who has its token can use.
    local index ray_start
    port=$(free_port)
    scratch=$(mktemp -d /tmp/ray-XXXXXX)
    export RAY_USAGE_STATS_ENABLED=0 RAY_ADDRESS=
    export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$scratch/token
    share_secret "$RAY_AUTH_TOKEN_PATH" \
        "$("$python" -c 'import secrets; print(secrets.token_hex(32))')"
    # In the foreground of a child, so that ending it ends Ray.
    ray_start=(env RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$RAY_AUTH_TOKEN_PATH"
        "$python" -m ray.scripts.scripts start --block --log-style record)
    on "${hosts[0]}" "${ray_start[@]}" --num-cpus "${slots[0]}" \
        --head --port "$port" --node-ip-address "$head" --include-dashboard false \
        --temp-dir "$scratch/ray" >"$scratch/node-0.log" 2>&1 &
    started+=($!)
    "$python" -m studykit.engines.ray_cluster "$head:$port" 1 ||
        fail 4 "the head did not start: $(tail -n 1 "$scratch/node-0.log")"
    for ((index = 1; index < ${#hosts[@]}; index++)); do
        on "${hosts[$index]}" "${ray_start[@]}" --num-cpus "${slots[$index]}" \
            --address "$head:$port" >"$scratch/node-$index.log" 2>&1 &
        started+=($!)
    done
    [ ${#hosts[@]} -eq 1 ] && return
    "$python" -m studykit.engines.ray_cluster "$head:$port" "$workers" ||
        fail 4 "not all of ${hosts[*]} joined: $(tail -n 1 "$scratch"/node-*.log)"
}

start_dask() { # A Dask cluster of all hosts, at $scheduler; Dask asks nobody for a password.
    local index at
    port=$(free_port)
    scratch=$(mktemp -d /tmp/dask-XXXXXX)
    scheduler=tcp://$head:$port
    on "${hosts[0]}" "$python" -m distributed.cli.dask_scheduler --host "$head" --port "$port" \
        --no-dashboard >"$scratch/scheduler.log" 2>&1 &
    started+=($!)
    "$python" -m studykit.engines.dask_cluster "$scheduler" 0 ||
        fail 4 "the scheduler did not start: $(tail -n 1 "$scratch/scheduler.log")"
    for index in "${!hosts[@]}"; do
        at=${hosts[$index]}
        is_here "$at" && at=$head
        on "${hosts[$index]}" env OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 ARROW_NUM_THREADS=1 \
            "$python" -m distributed.cli.dask_worker "$scheduler" --host "$at" \
            --nworkers "${slots[$index]}" --nthreads 1 --memory-limit 0 --no-dashboard \
            --death-timeout 60 --local-directory "$scratch/worker-$index" \
            >"$scratch/worker-$index.log" 2>&1 &
        started+=($!)
    done
    "$python" -m studykit.engines.dask_cluster "$scheduler" "$workers" ||
        fail 4 "not all of ${hosts[*]} joined: $(tail -n 1 "$scratch"/worker-*.log)"
}

run_torch() { # MODULE [options] : its ranks on all hosts, by torchrun; exits with their code.
    local index at
    port=$(free_port)
    for index in "${!hosts[@]}"; do
        at=${hosts[$index]}
        is_here "$at" && at=$head
        on "${hosts[$index]}" env OMP_NUM_THREADS=1 "$python" -m studykit.engines.torchrun \
            --nnodes "${#hosts[@]}" --nproc-per-node "${slots[$index]}" \
            --rdzv-backend c10d --rdzv-endpoint "$head:$port" --rdzv-id "$port" \
            --rdzv-conf "is_host=$((index == 0))" --local-addr "$at" \
            -m "$@" &
        started+=($!)
    done
    for index in "${!hosts[@]}"; do
        wait -n || exit_of_ranks $?
    done
}

exit_of_ranks() { # CODE : the first that is not 0, of whichever host
    [ "$1" != 255 ] || fail 4 "a host of ${hosts[*]} could not be reached, or was lost"
    exit "$1"
}
