"""What this machine can do for this study, and how to mend what it cannot.

./pants run apps/lesion-classification:doctor
./pants run apps/lesion-classification:doctor -- s3://bucket/data hdfs://namenode:9000
"""

from studydoctor import doctor

from lesion_classification.study import STUDY

main = doctor.command(STUDY)

if __name__ == "__main__":
    main()
