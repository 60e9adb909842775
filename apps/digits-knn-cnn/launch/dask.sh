#!/usr/bin/env bash
# Nearest neighbours on a Dask cluster of its own: this machine, or the hosts of a file.
#
#   launch/dask.sh --size tiny
#   launch/dask.sh --hosts hosts.txt --data hdfs://namenode:9000/digits.csv
#
# Dask asks nobody for a password: on several hosts, use it in a network of your own.

app=digits-knn-cnn
common=$(dirname "${BASH_SOURCE[0]}")/../../../shared/launch/dask.sh
[ -f "$common" ] || common=$(dirname "${BASH_SOURCE[0]}")/../shared/launch/dask.sh # Lifted out.
source "$common"

start_dask
"$python" -m digits_knn_cnn.run_dask --address "$scheduler" --workers "$workers" "$@"
