#!/usr/bin/env bash
# ETL and regression on a Dask cluster of its own: this machine, or the hosts of a file.
#
#   launch/dask.sh --size tiny
#   launch/dask.sh --hosts hosts.txt --data hdfs://namenode:9000/rows.csv
#
# Dask asks nobody for a password: on several hosts, use it in a network of your own.

app=ray-vs-dask-etl
common=$(dirname "${BASH_SOURCE[0]}")/../../../shared/launch.sh
[ -f "$common" ] || common=$(dirname "${BASH_SOURCE[0]}")/../shared/launch.sh # Lifted out.
source "$common"

port=$(free_port)
scratch=$(mktemp -d /tmp/dask-XXXXXX)
scheduler=tcp://$head:$port

on "${hosts[0]}" "$python" -m distributed.cli.dask_scheduler --host "$head" --port "$port" \
    --no-dashboard >"$scratch/scheduler.log" 2>&1 &
started+=($!)
"$python" -m studykit.engines.dask_engine "$scheduler" 0 ||
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
"$python" -m studykit.engines.dask_engine "$scheduler" "$workers" ||
    fail 4 "not all of ${hosts[*]} joined: $(tail -n 1 "$scratch"/worker-*.log)"

"$python" -m ray_vs_dask_etl.run_dask --address "$scheduler" --workers "$workers" "$@"
