# Ray, as the launch scripts of all studies start it.

source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"

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
    "$python" -m studylaunch.ray_ready "$head:$port" 1 ||
        fail 4 "the head did not start: $(tail -n 1 "$scratch/node-0.log")"
    for ((index = 1; index < ${#hosts[@]}; index++)); do
        on "${hosts[$index]}" "${ray_start[@]}" --num-cpus "${slots[$index]}" \
            --address "$head:$port" >"$scratch/node-$index.log" 2>&1 &
        started+=($!)
    done
    [ ${#hosts[@]} -eq 1 ] && return
    "$python" -m studylaunch.ray_ready "$head:$port" "$workers" ||
        fail 4 "not all of ${hosts[*]} joined: $(tail -n 1 "$scratch"/node-*.log)"
}
