# The lab's network: two bridges in a namespace of their own, which the machine's network has no
# link to. That namespace is also where the control machine is, a third one on the uplink.
#
#   uplink  172.31.77.0/24   gateway .1, outside .3, control .254   (as if it were the internet)
#   private 10.77.0.0/24     gateway .1, inner .2

declare -A address_of=(
  [gateway-uplink]=172.31.77.1 [outside-uplink]=172.31.77.3
  [gateway-private]=10.77.0.1 [inner-private]=10.77.0.2
)

# Namespaces are files of the lab's folder, not names of `ip netns`, which would leave a mount behind.
network_of() { echo "$folder/network/$1"; }

in_network() { # HOST COMMAND…, a program of this machine
  local space=$1
  shift
  nsenter --net="$(network_of "$space")" "$@"
}

make_network() {
  local space port
  mkdir "$folder/network"
  for space in control "${hosts[@]}"; do
    touch "$(network_of "$space")"
    unshare --net="$(network_of "$space")" ip link set lo up
  done
  for port in uplink private; do
    in_network control ip link add "$port" type bridge
    in_network control ip link set "$port" up
  done
  in_network control ip address add 172.31.77.254/24 dev uplink
  for port in "${!address_of[@]}"; do plug "${port%-*}" "${port#*-}" "${address_of[$port]}/24"; done
}

plug() { # HOST BRIDGE ADDRESS: a cable; the host's interface has the name of the bridge
  in_network control ip link add "$1-$2" type veth peer name "$2" netns "$(network_of "$1")"
  in_network control ip link set "$1-$2" master "$2" up
  in_network "$1" ip address add "$3" dev "$2"
  in_network "$1" ip link set "$2" up
}

remove_network() { # what others run in it (`lab control`) ends, too
  local space inode process
  for space in control "${hosts[@]}"; do
    mountpoint -q "$(network_of "$space")" || continue
    inode="net:[$(stat -c %i "$(network_of "$space")")]"
    for process in /proc/[0-9]*; do
      [ "$(readlink "$process/ns/net" 2>/dev/null)" = "$inode" ] || continue
      kill -KILL "${process#/proc/}" 2>/dev/null || true
    done
    umount "$(network_of "$space")"
  done
}

# --- faults of links: rules of the bridges ----------------------------------------------------

bridge_nft() { # by the program of a host that runs
  local host
  for host in "${hosts[@]}"; do
    runs "$host" || continue
    nsenter --mount="/proc/$(pid_of "$host")/ns/mnt" --net="$(network_of control)" nft "$@"
    return
  done
  fail 4 "no host runs: infra/lab/lab up"
}

make_bridge_rules() {
  bridge_nft list table bridge lab >/dev/null 2>&1 && return
  bridge_nft -f - <<'END'
table bridge lab {
  set cut { type ifname . ifname; }
  chain faults { type filter hook forward priority 0; policy accept; iifname . oifname @cut drop; }
}
END
}

link_between() { # HOST HOST → the bridge that both are on
  local bridge
  for bridge in private uplink; do
    if [ "$1" != "$2" ] && [ -n "${address_of[$1-$bridge]:-}" ] && [ -n "${address_of[$2-$bridge]:-}" ]; then
      echo "$bridge"
      return
    fi
  done
  fail 2 "there is no link between $1 and $2: what they exchange goes through the gateway"
}

pair() { # HOST HOST BRIDGE → the elements of both directions
  echo "{ \"$1-$3\" . \"$2-$3\", \"$2-$3\" . \"$1-$3\" }"
}

cut_link() {
  local bridge
  bridge=$(link_between "$1" "$2")
  bridge_nft add element bridge lab cut "$(pair "$1" "$2" "$bridge")"
}

heal_link() {
  local bridge
  bridge=$(link_between "$1" "$2")
  # Added first, because what is not there cannot be deleted.
  bridge_nft add element bridge lab cut "$(pair "$1" "$2" "$bridge")"
  bridge_nft delete element bridge lab cut "$(pair "$1" "$2" "$bridge")"
}

lose_link() { # HOST HOST PERCENT
  local bridge chain="lose-$1-$2"
  [[ ${3:-} =~ ^[0-9]{1,2}$ ]] || fail 2 "expected a whole number of percent below 100, not '${3:-}'"
  [[ $1 < $2 ]] || chain="lose-$2-$1"
  bridge=$(link_between "$1" "$2")
  bridge_nft -f - <<END
add chain bridge lab $chain { type filter hook forward priority 1; policy accept; }
flush chain bridge lab $chain
add rule bridge lab $chain iifname . oifname $(pair "$1" "$2" "$bridge") numgen random mod 100 < $3 drop
END
}

slow_host() { # HOST RATE: on all its links
  local bridge
  [[ ${2:-} =~ ^(0|[1-9][0-9]*[kmg]bit)$ ]] || fail 2 "expected a rate such as 20mbit, or 0, not '${2:-}'"
  for bridge in private uplink; do
    [ -n "${address_of[$1-$bridge]:-}" ] || continue
    if [ "$2" = 0 ]; then
      in_network "$1" tc qdisc delete dev "$bridge" root 2>/dev/null || true
    else
      in_network "$1" tc qdisc replace dev "$bridge" root tbf rate "$2" burst 64kb latency 100ms
    fi
  done
}
