#!/usr/bin/env bash
# The search on a Ray cluster of its own: this machine, or the hosts of a file.
#
#   launch/ray.sh --size tiny
#   launch/ray.sh --hosts hosts.txt --data hdfs://namenode:9000/tumours.csv

app=hyperparameter-tuning
common=$(dirname "${BASH_SOURCE[0]}")/../../../shared/launch/ray.sh
[ -f "$common" ] || common=$(dirname "${BASH_SOURCE[0]}")/../shared/launch/ray.sh # Lifted out.
source "$common"

start_ray
"$python" -m hyperparameter_tuning.run_ray --address "$head:$port" --workers "$workers" "$@"
