#!/usr/bin/env bash
# What the batch scripts of all engines share: the nodes of a Slurm job become the hosts of a launch
# script, which starts the engine on them as on any hosts.
#
#   job.sh ENGINE STUDY [options of the study]
#
# Many sites forbid SSH between nodes, and where they allow it, what it starts may escape the job's
# limits. So `ssh` is here a step of the job (by-srun/ssh), which works wherever `srun` does.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
engine=$1 study=${2:-}
launch=$here/../../apps/$study/launch/$engine.sh
if [ -z "$study" ] || [ ! -f "$launch" ]; then
    shopt -s nullglob
    launchers=("$here"/../../apps/*/launch/"$engine".sh)
    launchers=("${launchers[@]%/launch/*}")
    echo "error: $engine: expected one of ${launchers[*]##*/}, found '$study'" >&2
    exit 2
fi

nodes() { # One `name:cores` a line; Slurm writes the cores shortened, `4(x2),2` for 4, 4 and 2.
    local cores=() group i=0 name
    for group in ${SLURM_JOB_CPUS_PER_NODE//,/ }; do
        [[ $group =~ ^([0-9]+)(\(x([0-9]+)\))?$ ]]
        for ((i = 0; i < ${BASH_REMATCH[3]:-1}; i++)); do cores+=("${BASH_REMATCH[1]}"); done
    done
    i=0
    for name in $(scontrol show hostnames "$SLURM_JOB_NODELIST"); do
        echo "$name:${cores[i]}"
        i=$((i + 1))
    done
}

list=$(nodes)
export PATH=$here/by-srun:$PATH
# The list goes through a pipe: no file to remove.
"$launch" --hosts <(echo "$list") "${@:3}" &
run=$!
# The launch script, and the run that it waits for. Not all its processes: srun kills at once what is
# asked to end here, and Ray or torchrun could not tidy up on the nodes.
trap 'kill -TERM "$run" $(pgrep -P "$run") 2>/dev/null' TERM
code=0
wait "$run" || code=$?
while kill -0 "$run" 2>/dev/null; do # A signal ends a wait.
    code=0
    wait "$run" || code=$?
done
exit "$code"
