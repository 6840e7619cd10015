"""Read the study of search_digits.py: the ranking, the folds, a learning curve."""

import optuna

from tuner.results import best_trial, curve_rows, results_table

if __name__ == "__main__":
    study = optuna.load_study(study_name="digits", storage="sqlite:///digits.db")
    for row in results_table(study, top=3):
        folds = ", ".join(f"{score:.3f}" for score in row["split_test_scores"])
        print(f"trial {row['number']} ({row['state']}): {folds}  {row['params']}")
    print("\nepoch  rate    accuracy  val_accuracy   (trial", f"{best_trial(study).number})")
    for row in curve_rows(study, best_trial(study).number):
        print("{epoch:5}  {learning_rate:.4f}  {accuracy:8.3f}  {val_accuracy:12.3f}".format(**row))
