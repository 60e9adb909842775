#!/usr/bin/env bash
# Classifiers on torch.distributed by torchrun: this machine, or the hosts of a file.
#
#   launch/torch.sh --size tiny
#   launch/torch.sh --hosts hosts.txt --data hdfs://namenode:9000/samples.csv

app=synthetic-classifiers
common=$(dirname "${BASH_SOURCE[0]}")/../../../shared/launch/torch.sh
[ -f "$common" ] || common=$(dirname "${BASH_SOURCE[0]}")/../shared/launch/torch.sh # Lifted out.
source "$common"

run_torch synthetic_classifiers.run_torch "$@"
