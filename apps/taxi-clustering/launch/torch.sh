#!/usr/bin/env bash
# k-means over taxi pickups on torch.distributed by torchrun: this machine, or the hosts of a file.
#
#   launch/torch.sh --size tiny
#   launch/torch.sh --hosts hosts.txt --data hdfs://namenode:9000/trips.csv

app=taxi-clustering
common=$(dirname "${BASH_SOURCE[0]}")/../../../shared/launch.sh
[ -f "$common" ] || common=$(dirname "${BASH_SOURCE[0]}")/../shared/launch.sh # Lifted out.
source "$common"

port=$(free_port)
scratch=$(mktemp -d)
for index in "${!hosts[@]}"; do
    on "${hosts[$index]}" env STUDY_EXIT_FILE="$scratch/$index" OMP_NUM_THREADS=1 \
        "$python" -m torch.distributed.run --log-dir "$scratch/logs" \
        --nnodes "${#hosts[@]}" --nproc-per-node "${slots[$index]}" \
        --rdzv-backend c10d --rdzv-endpoint "$head:$port" --rdzv-id "$port" \
        --rdzv-conf "is_host=$((index == 0))" --local-addr "${hosts[$index]}" \
        -m taxi_clustering.run_torch "$@" &
    started+=($!)
done

code=0
for pid in "${started[@]}"; do
    wait "$pid" || code=$?
    [ "$code" = 0 ] || break
done
# torchrun says 1 whatever its ranks say; the first of them that failed has left its own code.
if [ "$code" != 0 ]; then
    for file in "$scratch"/*; do [ ! -f "$file" ] || code=$(cat "$file"); done
fi
exit "$code"
