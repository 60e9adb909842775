#!/usr/bin/env bash
# ETL and regression on a Dask cluster of its own: this machine, or the hosts of a file.
#
#   launch/dask.sh --size tiny
#   launch/dask.sh --hosts hosts.txt --data hdfs://namenode:9000/rows.csv
#
# Dask asks nobody for a password: on several hosts, use it in a network of your own.

app=ray-vs-dask-etl
common=$(dirname "${BASH_SOURCE[0]}")/../../../shared/launch/dask.sh
[ -f "$common" ] || common=$(dirname "${BASH_SOURCE[0]}")/../shared/launch/dask.sh # Lifted out.
source "$common"

start_dask
"$python" -m ray_vs_dask_etl.run_dask --address "$scheduler" --workers "$workers" "$@"
