# Debian's packages beside the machine's own, installed into a layer that some processes see above
# the machine's root. The machine itself gets none of them.

fetch_packages() { # NAME, of a folder of the cache; PACKAGE…: where they are is said in `packages`
  local name=$1
  shift
  # Made again when the machine's own packages are others: the layer has dpkg's list of all.
  packages=$cache/$name/packages-$(
    { printf '%s ' "$@" && cat /var/lib/dpkg/status 2>/dev/null; } | cksum | tr ' ' -
  )
  [ -d "$packages" ] && return
  type -P apt-get >/dev/null || fail 4 "apt-get is needed, to fetch Debian's packages $*"
  made_once "$packages" make_layer "$@"
}

make_layer() { # PACKAGE… FOLDER
  local folder=${!#}
  set -- "${@:1:$#-1}"
  # Those of other packages of the machine are of no use any more.
  find "${packages%/*}" -mindepth 1 -maxdepth 1 -name 'packages-*' ! -path "$packages*" -exec rm -rf {} +
  say "Fetching $*, not for this machine itself: half a minute, once."
  unshare --mount bash -euo pipefail -c "$(declare -f install_into)"'; install_into "$@"' \
    layer "$folder" "$@"
}

install_into() { # FOLDER PACKAGE…: in a mount namespace of its own, so that nothing stays mounted
  local folder=$1 work
  shift
  work=$(mktemp -d)
  mount -t tmpfs layer "$work"
  mkdir "$work/upper" "$work/work" "$work/root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
  mount -t proc proc "$work/root/proc"
  mount --rbind /dev "$work/root/dev"
  mount -t tmpfs tmp "$work/root/tmp"
  mount -t tmpfs run "$work/root/run"
  # No service starts: the layer is no host.
  rm -f "$work/root/usr/sbin/policy-rc.d"
  printf '#!/bin/sh\nexit 101\n' >"$work/root/usr/sbin/policy-rc.d"
  chmod 755 "$work/root/usr/sbin/policy-rc.d"
  chroot "$work/root" apt-get -qq update
  DEBIAN_FRONTEND=noninteractive chroot "$work/root" \
    apt-get -qq --yes --no-install-recommends install "$@" >/dev/null
  cd "$work/upper"
  rm -rf root run tmp dev proc var/cache var/log var/lib/apt usr/sbin/policy-rc.d etc/ssh/ssh_host_*
  cp -a . "$folder"
  cd /
  umount -R "$work"
  rmdir "$work"
}
