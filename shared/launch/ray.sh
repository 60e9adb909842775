# Ray, as the launch scripts of all studies start it.

source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"

# Of another host that was cut off Ray would know after a minute, and what it was asked fail after
# seven; with these half a minute is enough.
noticing=()
[ ${#code_of[@]} -eq 0 ] || noticing=(
    RAY_grpc_client_keepalive_time_ms=5000 RAY_grpc_client_keepalive_timeout_ms=10000
    RAY_health_check_timeout_ms=5000
)

# What workers print comes to the run for --debug alone; to look for it takes a process on every host.
looking=false
[[ " $* " != *" --debug "* ]] || looking=true

start_ray() { # A Ray cluster of all hosts, at $head:$port, which only who has its token can use.
    local index token=$scratch/token
    port=$(free_port)
    export RAY_USAGE_STATS_ENABLED=0 RAY_ADDRESS=
    export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$token
    [ ${#noticing[@]} -eq 0 ] || export "${noticing[@]}"
    share_secret "$token" "$("$python" -c 'import secrets; print(secrets.token_hex(32))')"
    start_node 0 ray.scripts.scripts start --block --no-monitor --head --port "$port" \
        --node-ip-address "$head" --include-dashboard false --temp-dir "$scratch/ray"
    [ ${#hosts[@]} -eq 1 ] || await 0 listening
    for ((index = 1; index < ${#hosts[@]}; index++)); do
        # In one folder, nodes that start on a host at a time would take the same names for sockets.
        start_node "$index" studylaunch.ray_node --temp-dir "$scratch/ray-$index" \
            --address "$head:$port"
    done
    # To ask Ray itself would take a process that joins it, for two seconds.
    for index in "${!hosts[@]}"; do await "$index" said "$index" "Ray runtime started" 1; done
    joined=yes
}

start_node() { # INDEX MODULE [options]
    local index=$1
    shift
    # In the foreground of a child, so that ending it ends Ray. No worker before a run asks for it:
    # it would not have the threads that the run gives to each.
    start "${hosts[$index]}" env "${noticing[@]}" RAY_AUTH_MODE=token \
        RAY_AUTH_TOKEN_PATH="$RAY_AUTH_TOKEN_PATH" RAY_prestart_worker_first_driver=0 \
        "$(python_on "${hosts[$index]}")" -m "$@" --log-style record --num-cpus "${slots[$index]}" \
        --include-log-monitor "$looking"
}

listening() { # Whether others can join the head.
    (exec 3<>"/dev/tcp/$head/$port") 2>/dev/null
}
