from studysweep import sweep

from sample_study.study import STUDY

main = sweep.compare_command(STUDY, peers=("quick",))

if __name__ == "__main__":
    main()
