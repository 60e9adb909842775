# What the launch scripts of all studies share: hosts, code and Python there, and that nothing is left
# behind. Sourced by the file of each engine, which they source after they have set `app`.
#
#   launch/ENGINE.sh [--hosts FILE [--nodes N]] [options of the study]
#
# FILE lists the hosts, one `host[:slots]` a line (slots: workers there, 1 if not said; `#` begins a
# comment); the first is the head. With --nodes the first N of them alone. Without --hosts: this
# machine, as many workers as it has cores.
# Entries that name this machine start without SSH; the others need a key that asks for no password.
#
# The code there is this code: found at the same path, else brought and removed again. Python is
# $STUDY_PYTHON, else the project's .venv, else what `./pants export` has made; another host that has
# none at that path makes an environment from the study's lock, once, in ~/.cache/study-environments.

set -euo pipefail

fail() { # exit code, text
    echo "error: $2" >&2
    exit "$1"
}

JOIN_SECONDS=120 # Longer than Ray gives a node to start in, so that its own reason is in its log.
KILL_SECONDS=10 # From asking a command on another host to end until killing it.
# Another host hears from this script every few seconds. Where it misses so many of these beats, its
# link is cut, and it ends by itself what was started there.
BEAT_SECONDS=5 LOST_BEATS=6
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
app_folder=$(cd "$(dirname "$0")/.." && pwd)
ssh_to=(ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3)

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

imports() { # ROOT : where Python finds the code that lies there
    if [ -d "$root/apps/$app" ]; then
        echo "$1/apps/$app:$1/shared:$1/datasets"
    else
        echo "$1" # Lifted out.
    fi
}

packing() { # The command that packs the code, the same bytes of the same code, on any host.
    local parts=(.)
    [ ! -d "$root/apps/$app" ] || parts=("apps/$app" shared datasets)
    echo "tar --create --sort name --mtime @0 --owner 0 --group 0 --numeric-owner" \
        "--mode u=rwX,go=rX --exclude __pycache__ --exclude results --exclude tests" \
        "--exclude '.[a-z]*' ${parts[*]}"
}

# Of each other host.
declare -A code_of=() python_of=()

find_there() { # HOST → code_of, python_of
    local host=$1 made answer sum state
    [ -r "$lock" ] || fail 4 "$lock cannot be read, which other hosts have their libraries from"
    made="\$HOME/.cache/study-environments/$app-$(cksum <"$lock" | tr ' ' -)"
    answer=$("${ssh_to[@]}" "$host" "
        if cd $(printf %q "$root") 2>/dev/null; then $(packing) | sha256sum; else echo none; fi
        if [ -x $(printf %q "$python") ]; then echo there; else ls $made/complete || echo missing; fi
        echo $made/bin/python" </dev/null 2>"$scratch/said") ||
        fail 4 "$host cannot be reached: $(tail -n 1 "$scratch/said")"
    { read -r sum _ && read -r state && read -r "python_of[$host]"; } <<<"$answer"
    [ "$state" != there ] || python_of[$host]=$python
    code_of[$host]=$root
    [ "$sum" = "$our_sum" ] || bring_code "$host"
    [ "$state" != missing ] || make_environment "$host"
}

bring_code() { # HOST
    code_of[$1]=$scratch/code
    visited[$1]=yes
    packed | "${ssh_to[@]}" "$1" "umask 077 && mkdir -p $(printf %q "${code_of[$1]}") &&
        tar --extract --directory $(printf %q "${code_of[$1]}")" >/dev/null ||
        fail 4 "$1: the code could not be brought to $scratch"
}

packed() { (cd "$root" && eval "$(packing)"); }

make_environment() { # HOST
    local place=${python_of[$1]%/bin/python} said
    echo "$1: installing the libraries of $app in $place …" >&2
    said=$("${ssh_to[@]}" "$1" "rm -rf $(printf %q "$place") && python3.11 -m venv $(printf %q "$place") &&
        $(printf %q "$place")/bin/python -m pip install --quiet --require-hashes \
            -r $(printf %q "${code_of[$1]}${lock#"$root"}") 2>&1 &&
        touch $(printf %q "$place")/complete" 2>&1 </dev/null) ||
        fail 4 "$1: no environment for $app, and none could be made: $(tail -n 1 <<<"$said")"
}

python_on() { # HOST
    if is_here "$1"; then echo "$python"; else echo "${python_of[$1]}"; fi
}

on() { # HOST COMMAND… : run it there, in the project's folder, until it or this script ends
    local host=$1
    shift
    exec <"$scratch/alive" {alive}<&-
    if is_here "$host"; then
        # In a session of its own Ctrl-C does not reach it: this script ends it, in order.
        exec setsid "$@" </dev/null
    fi
    exec "${ssh_to[@]}" "$host" "$(until_told "$host" "$@")" < <(beats)
}

beats() { # Empty lines, until this script ends.
    exec 2>/dev/null
    while read -r -t $BEAT_SECONDS || [ $? -gt 128 ]; do echo; done
}

# A command of the shell there: COMMAND, until it ends, or standard input does or is silent, which is
# when this script ends or the link is cut. Who does not end when asked is killed, and what this run
# has there is removed, because this script may not reach it.
until_told() { # HOST COMMAND…
    local host=$1 code=${code_of[$1]} watch
    watch='
        remove() {
            for ((try = 0; try < 20; try++)); do
                rm -rf "$1" && break # What still ends may write into it meanwhile.
                sleep 1
            done
        }
        missing=0
        # The command has ended. Where beats are missing the link may be cut, and nobody else removes;
        # if it is not, what the command has left there is fetched before.
        trap "[ \$missing -lt 2 ] || { sleep $(($0 * $4)); remove \"$3\"; } </dev/null 4>&- & exit" TERM
        # Each is waited for by itself: of machines that stood still, both of them, all are late, and
        # one long wait would be over before the first can come.
        while [ $missing -lt $0 ]; do
            if read -r -t $4; then
                missing=0
            elif [ $? -gt 128 ]; then
                missing=$((missing + 1))
            else
                break
            fi
        done
        trap "" TERM
        [ $missing -lt $0 ] || echo "not heard of for $(($0 * $4)) s, so this ends here" >&4
        kill -s TERM -- -$1
        for ((try = 0; try < 10 * $2; try++)); do
            kill -s 0 -- -$1 || break
            sleep 0.1
        done
        kill -s KILL -- -$1
        remove "$3"'
    shift
    echo "cd $(printf %q "$PWD") 2>/dev/null || cd $(printf %q "$code") || exit 1
        export PYTHONPATH=$(printf %q "$(imports "$code")${given_path:+:$given_path}")
        export STUDY_ROUND=${STUDY_ROUND:-0}
        exec 3<&0
        setsid $(printf '%q ' "$@") </dev/null 3<&- &
        command=\$!
        bash -c '$watch' $LOST_BEATS \$command $KILL_SECONDS $(printf %q "$scratch") \
            $BEAT_SECONDS <&3 4>&2 >/dev/null 2>&1 &
        watch=\$!
        exec 3<&-
        wait \$command
        code=\$?
        { kill \$watch; wait \$watch; } 2>/dev/null
        exit \$code"
}

share_secret() { # FILE TEXT : readable by its owner alone, at the same path on every host
    local host
    for host in "${hosts[@]}"; do
        if is_here "$host"; then
            (umask 077 && printf %s "$2" >"$1")
        else
            visited[$host]=yes
            printf %s "$2" | "${ssh_to[@]}" "$host" \
                "umask 077 && mkdir -p $(printf %q "$(dirname "$1")") && cat >$(printf %q "$1")" >/dev/null
        fi
    done
}

free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}

# Every command started with `&` is in `started`; leaving, however, ends what still runs.
started=() where=()
declare -A visited=() # Hosts with something of this run in their folder of temporary files.

start() { # HOST COMMAND… : its words go to the next log
    on "$@" >"$scratch/log-${#started[@]}" 2>&1 &
    note "$1"
}

note() { # HOST, on which something has just been started
    started+=($!) where+=("$1")
}

outlives=0 # How many, of the first that were started, end when the others have.
joined=no # All of a cluster are there: who ends from now on does so before its time.
stop_all() {
    local code=$? host indexes=("${!started[@]}") removing=()
    trap '' INT TERM
    [ $joined = no ] || tell_of_the_lost
    # The others hear it from their standard input, and end before their connection does.
    exec {alive}<&-
    end_those "${indexes[@]:$outlives}"
    end_those "${indexes[@]:0:$outlives}"
    rm -rf "$scratch"
    for host in "${!visited[@]}"; do
        remove_there "$host" "$scratch" "${visited[$host]}" &
        removing+=($!)
    done
    [ ${#removing[@]} -eq 0 ] || wait "${removing[@]}" || true
    exit "$code"
}

tell_of_the_lost() { # Nodes that have ended by now, with their last words.
    local index code
    for index in "${!started[@]}"; do
        runs "$index" && continue
        code=0
        wait "${started[$index]}" || code=$?
        echo "${where[$index]} ended with code $code: $(tail -n 1 "$scratch/log-$index")" >&2
    done
}

runs() { # INDEX ; a process that took the number of one that has ended is not it
    [[ $'\n'$(jobs -rp)$'\n' = *$'\n'${started[$1]}$'\n'* ]]
}

end_those() { # INDEX…
    local index host ended
    for index in "$@"; do
        is_here "${where[$index]}" && runs "$index" && kill -TERM "${started[$index]}" 2>/dev/null || true
    done
    for index in "$@"; do
        ended=0
        wait "${started[$index]}" 2>/dev/null || ended=$?
        # Of a host that was lost: it may be there again, but is not waited for as long.
        host=${where[$index]}
        [ $ended -ne 255 ] || [ -z "${visited[$host]:-}" ] || visited[$host]=lost
    done
}

remove_there() { # HOST FOLDER yes|lost : what still ends there may write into it meanwhile
    local folder soon=()
    folder=$(printf %q "$2")
    [ "$3" != lost ] || soon=(-o ConnectTimeout=2)
    ssh "${soon[@]}" "${ssh_to[@]:1}" "$1" "for try in 1 2 3; do
        rm -rf $folder && sleep 1 && [ ! -e $folder ] && exit; done" </dev/null >/dev/null 2>&1
}

await() { # INDEX of what was started, COMMAND: until it succeeds; what was started goes on meanwhile
    local index code=0 until=$((SECONDS + JOIN_SECONDS))
    until "${@:2}"; do
        for index in "${!started[@]}"; do
            runs "$index" || {
                wait "${started[$index]}" || code=$?
                fail 4 "${where[$index]} ended with code $code: $(tail -n 1 "$scratch/log-$index")"
            }
        done
        [ $SECONDS -lt $until ] ||
            fail 4 "${where[$1]} was not ready in $JOIN_SECONDS s: $(tail -n 1 "$scratch/log-$1")"
        sleep 0.2
    done
}

said() { # INDEX TEXT TIMES : whether its log, where it has begun one, has so many lines with it
    local count
    count=$(grep -sc "$2" "$scratch/log-$1")
    [ "${count:-0}" -ge "$3" ]
}

if [ "${1:-}" = --hosts ]; then
    [ $# -ge 2 ] || fail 2 "--hosts needs a file"
    read_hosts "$2"
    shift 2
    if [ "${1:-}" = --nodes ]; then
        [[ ${2:-} =~ ^[1-9][0-9]*$ && $2 -le ${#hosts[@]} ]] ||
            fail 2 "--nodes ${2:-}: there are ${#hosts[@]} hosts"
        hosts=("${hosts[@]:0:$2}") slots=("${slots[@]:0:$2}")
        # The run's own options have it too: it belongs to the record.
    fi
else
    hosts=(localhost) slots=("$(nproc)")
fi
scratch=$(mktemp -d /tmp/study-XXXXXX)
mkfifo "$scratch/alive"
exec {alive}<>"$scratch/alive"
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

head=${hosts[0]}
is_here "$head" && head=127.0.0.1
for host in "${hosts[@]}"; do
    # Others must be able to reach the head by a name of its own.
    is_here "$host" || { is_here "${hosts[0]}" && head=$(hostname -f); break; }
done
workers=0
for count in "${slots[@]}"; do workers=$((workers + count)); done
python=$(find_python)
given_path=${PYTHONPATH:-}
lock=$app_folder/requirements.lock our_sum=
for host in "${hosts[@]}"; do
    is_here "$host" || [ -n "${code_of[$host]:-}" ] || {
        [ -n "$our_sum" ] || read -r our_sum _ < <(packed | sha256sum)
        find_there "$host"
    }
done
# A lifted copy is installed here.
[ ! -d "$root/apps/$app" ] || export PYTHONPATH="$(imports "$root")${given_path:+:$given_path}"
