"""What this machine can do for this study, and how to mend what it cannot.

./pants run apps/ray-vs-dask-etl:doctor
./pants run apps/ray-vs-dask-etl:doctor -- s3://bucket/data hdfs://namenode:9000
"""

from studydoctor import doctor

from ray_vs_dask_etl.study import STUDY

main = doctor.command(STUDY)

if __name__ == "__main__":
    main()
