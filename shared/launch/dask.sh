# Dask, as the launch scripts of all studies start it.

source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"

start_dask() { # A Dask cluster of all hosts, at $scheduler; Dask asks nobody for a password.
    local index at
    port=$(free_port)
    scratch=$(mktemp -d /tmp/dask-XXXXXX)
    # Else Dask leaves an empty folder of its own in /tmp.
    export DASK_TEMPORARY_DIRECTORY=$scratch
    scheduler=tcp://$head:$port
    on "${hosts[0]}" env DASK_TEMPORARY_DIRECTORY="$scratch" \
        "$python" -m distributed.cli.dask_scheduler --host "$head" --port "$port" \
        --no-dashboard >"$scratch/scheduler.log" 2>&1 &
    started+=($!)
    "$python" -m studylaunch.dask_ready "$scheduler" 0 ||
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
    "$python" -m studylaunch.dask_ready "$scheduler" "$workers" ||
        fail 4 "not all of ${hosts[*]} joined: $(tail -n 1 "$scratch"/worker-*.log)"
}
