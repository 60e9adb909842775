#!/usr/bin/env bash
# k-means over taxi pickups on a Ray cluster of its own: this machine, or the hosts of a file.
#
#   launch/ray.sh --size tiny
#   launch/ray.sh --hosts hosts.txt --data hdfs://namenode:9000/trips.csv

app=taxi-clustering
common=$(dirname "${BASH_SOURCE[0]}")/../../../shared/launch.sh
[ -f "$common" ] || common=$(dirname "${BASH_SOURCE[0]}")/../shared/launch.sh # Lifted out.
source "$common"

port=$(free_port)
scratch=$(mktemp -d /tmp/ray-XXXXXX)
export RAY_USAGE_STATS_ENABLED=0 RAY_ADDRESS=
# Only who has this cluster's token can use it.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$scratch/token
share_secret "$RAY_AUTH_TOKEN_PATH" "$("$python" -c 'import secrets; print(secrets.token_hex(32))')"
ray=("$python" -m ray.scripts.scripts)

node() { # INDEX ARGUMENTS… : a Ray node in the foreground of a child, so that ending it ends Ray
    local index=$1
    shift
    on "${hosts[$index]}" env RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$RAY_AUTH_TOKEN_PATH" \
        "${ray[@]}" start --block --num-cpus "${slots[$index]}" \
        --log-style record "$@" >"$scratch/node-$index.log" 2>&1 &
    started+=($!)
}

node 0 --head --port "$port" --node-ip-address "$head" --include-dashboard false \
    --temp-dir "$scratch/ray"
"$python" -m studykit.ray_engine "$head:$port" 1 ||
    fail 4 "the head did not start: $(tail -n 1 "$scratch/node-0.log")"
for index in "${!hosts[@]}"; do
    [ "$index" = 0 ] && continue
    node "$index" --address "$head:$port"
done
"$python" -m studykit.ray_engine "$head:$port" "$workers" ||
    fail 4 "not all of ${hosts[*]} joined: $(tail -n 1 "$scratch"/node-*.log)"

code=0
"$python" -m taxi_clustering.run_ray --address "$head:$port" --workers "$workers" "$@" || code=$?
exit "$code"
