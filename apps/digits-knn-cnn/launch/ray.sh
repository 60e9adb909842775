#!/usr/bin/env bash
# Nearest neighbours on a Ray cluster of its own: this machine, or the hosts of a file.
#
#   launch/ray.sh --size tiny
#   launch/ray.sh --hosts hosts.txt --data hdfs://namenode:9000/digits.csv

app=digits-knn-cnn
common=$(dirname "${BASH_SOURCE[0]}")/../../../shared/launch/ray.sh
[ -f "$common" ] || common=$(dirname "${BASH_SOURCE[0]}")/../shared/launch/ray.sh # Lifted out.
source "$common"

start_ray
"$python" -m digits_knn_cnn.run_ray --address "$head:$port" --workers "$workers" "$@"
