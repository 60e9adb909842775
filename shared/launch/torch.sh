# Ranks of torch.distributed, as the launch scripts of all studies start them.

source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"

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
