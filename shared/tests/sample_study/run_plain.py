import functools

from studykit import cli

from sample_study import study

main = cli.entry_point(study.STUDY, "plain", functools.partial(study.body, "plain"))

if __name__ == "__main__":
    main()
