#!/usr/bin/env bash
# Lesions on torch.distributed by torchrun: this machine, or the hosts of a file.
#
#   launch/torch.sh --size tiny
#   launch/torch.sh --hosts hosts.txt --data hdfs://namenode:9000/lesions

app=lesion-classification
common=$(dirname "${BASH_SOURCE[0]}")/../../../shared/launch/torch.sh
[ -f "$common" ] || common=$(dirname "${BASH_SOURCE[0]}")/../shared/launch/torch.sh # Lifted out.
source "$common"

run_torch lesion_classification.run_torch "$@"
