# Dask, as the launch scripts of all studies start it.

source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"

# Of another host that was cut off Dask would know after half a minute.
noticing=()
[ ${#code_of[@]} -eq 0 ] || noticing=(DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP=15s)

start_dask() { # A Dask cluster of all hosts, at $scheduler; Dask asks nobody for a password.
    local index at host
    # What scheduler and workers say is awaited, whatever the user's own settings are.
    local theirs=("${noticing[@]}" DASK_LOGGING__DISTRIBUTED=info)
    port=$(free_port)
    # Else Dask leaves an empty folder of its own in /tmp.
    export DASK_TEMPORARY_DIRECTORY=$scratch
    [ ${#noticing[@]} -eq 0 ] || export "${noticing[@]}"
    scheduler=tcp://$head:$port
    start "${hosts[0]}" env "${theirs[@]}" DASK_TEMPORARY_DIRECTORY="$scratch" \
        "$(python_on "${hosts[0]}")" -m distributed.cli.dask_scheduler --host "$head" \
        --port "$port" --no-dashboard
    outlives=1 # A worker whose scheduler ends with it may wait for it, for 8 s.
    await 0 said 0 "Scheduler at:" 1
    for index in "${!hosts[@]}"; do
        host=${hosts[$index]}
        at=$host
        is_here "$at" && at=$head
        start "$host" env "${theirs[@]}" OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 ARROW_NUM_THREADS=1 \
            "$(python_on "$host")" -m distributed.cli.dask_worker "$scheduler" --host "$at" \
            --nworkers "${slots[$index]}" --nthreads 1 --memory-limit 0 --no-dashboard \
            --death-timeout 60 --local-directory "$scratch/worker-$index"
    done
    for index in "${!hosts[@]}"; do
        await "$((index + 1))" said "$((index + 1))" "Registered to:" "${slots[$index]}"
    done
    joined=yes
}
