"""What a study is: space, data, folds, sampler, pruner and objective; and its budget."""
