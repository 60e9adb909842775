import functools

from studykit import cli

from sample_study import study

main = cli.entry_point(study.STUDY, "alpha", functools.partial(study.body, "alpha"))

if __name__ == "__main__":
    main()
