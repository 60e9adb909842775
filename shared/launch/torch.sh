# Ranks of torch.distributed, as the launch scripts of all studies start them.

source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"

run_torch() { # MODULE [options] : its ranks on all hosts, by torchrun; exits with their code.
    local index at host out elsewhere=()
    port=$(free_port)
    results=$(results_of "$@")
    if ! is_here "${hosts[0]}" && [[ $results != *://* ]]; then
        # Rank 0 writes the record, on its host.
        [[ $results == /* ]] || results=$PWD/$results
        elsewhere=(--results "$scratch/results") visited[${hosts[0]}]=yes
    fi
    for index in "${!hosts[@]}"; do
        host=${hosts[$index]}
        at=$host
        is_here "$at" && at=$head
        hear "$index"
        # The first rank alone writes to our standard output: ssh would set that to cut writes short
        # where nobody reads for a moment, which Python does not always notice.
        out=$ear
        [ "$index" != 0 ] || out=1
        on "$host" env OMP_NUM_THREADS=1 "$(python_on "$host")" -m studykit.engines.torchrun \
            --nnodes "${#hosts[@]}" --node-rank "$index" --nproc-per-node "${slots[$index]}" \
            --master-addr "$head" --master-port "$port" --local-addr "$at" \
            -m "$@" "${elsewhere[@]}" >&"$out" 2>&"$ear" {ear}>&- &
        note "$host"
        exec {ear}>&-
    done
    end_with_ranks
}

results_of() { # [options] : where records go
    local found=results
    while [ $# -gt 0 ]; do
        case $1 in
            --results) found=${2:-} ;;
            --results=*) found=${1#*=} ;;
        esac
        shift
    done
    echo "$found"
}

gather() { # Records that were written elsewhere.
    local there
    is_here "${hosts[0]}" || [[ $results == *://* ]] || {
        mkdir -p "$results"
        there=$(printf %q "$scratch/results")
        {
            "${ssh_to[@]}" "${hosts[0]}" \
                "mkdir -p $there && tar --create --directory $there ." </dev/null |
                tar --extract --directory "$results"
        } 2>"$scratch/said" || echo "no record from ${hosts[0]}: $(tail -n 1 "$scratch/said")" >&2
        rmdir "$results" 2>/dev/null || true # Where it has written none.
    }
}

# What several hosts say has their names in front. Standard output, the record's, stays as it is.
readers=()
hear() { # INDEX → ear: the descriptor for what is said there
    local said=$scratch/said-$1 there
    [ ${#hosts[@]} -gt 1 ] || ! is_here "${hosts[0]}" || {
        exec {ear}>&2
        return
    }
    mkfifo "$said"
    exec {ear}<>"$said"
    there=$(sed 's/[#&\\]/\\&/g' <<<"$results")
    {
        exec {alive}<&- {ear}<&-
        # Records are told where they will be: see `gather`.
        tee "$scratch/log-$1" |
            sed -u "s/^/${hosts[$1]}: /; s#$scratch/results#$there#" >&2
    } <"$said" &
    readers[$1]=$!
}

heard() { # INDEX : until all that was said is shown, or somebody there does not end
    local try
    for try in {1..50}; do
        kill -0 "${readers[$1]}" 2>/dev/null || return 0
        sleep 0.1
    done
}

end_with_ranks() { # With the code of the first host whose ranks fail, and with its last words.
    local index code running=("${started[@]}")
    while [ ${#running[@]} -gt 0 ]; do
        for index in "${!running[@]}"; do
            runs "$index" && continue
            code=0
            wait "${started[$index]}" || code=$?
            [ $code -eq 0 ] || end_of_ranks "$index" "$code"
            unset "running[$index]"
        done
        sleep 0.1
    done
    for index in "${!readers[@]}"; do heard "$index"; done
    gather
}

end_of_ranks() { # INDEX CODE
    local host=${hosts[$1]} last
    gather
    [ "$2" != 255 ] || fail 4 "$host could not be reached, or was lost"
    [ -n "${readers[$1]:-}" ] || exit "$2" # Its words are ours.
    heard "$1"
    last=$(grep '^error: ' "$scratch/log-$1" || tail -n 1 "$scratch/log-$1")
    fail "$2" "$host: $(head -n 1 <<<"${last#error: }")"
}
