"""The most of what a person may ask for: beyond it a number is a slip of the pen, or does not fit
what holds it."""

#: Each waits as some rows of the storage, and every worker goes through all of them.
MOST_TRIALS = 100_000
#: Counts of steps, trials, rows and the like.
MOST = 10**9
#: Folds of one cross-validation, each a network of every trial.
MOST_FOLDS = 10_000
#: A failed trial is tried again so often at most.
MOST_RETRIES = 1000
#: Seeds are uint32, as NumPy's.
MOST_SEED = 2**32 - 1
#: 31 years.
MOST_SECONDS = 10.0**9
#: Worker processes of one command.
MOST_WORKERS = 1000
#: Seconds between two looks at a storage or two signs of life, and of silence: the least of both,
#: and the most of each.
LEAST_BEAT, MOST_BEAT, MOST_SILENCE = 0.1, 3600, 10**6
