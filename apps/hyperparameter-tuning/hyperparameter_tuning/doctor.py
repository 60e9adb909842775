"""What this machine can do for this study, and how to mend what it cannot.

./pants run apps/hyperparameter-tuning:doctor
./pants run apps/hyperparameter-tuning:doctor -- s3://bucket/data hdfs://namenode:9000
"""

from studydoctor import doctor

from hyperparameter_tuning.study import STUDY

main = doctor.command(STUDY)

if __name__ == "__main__":
    main()
