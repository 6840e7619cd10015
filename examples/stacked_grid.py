"""scikit-learn's grid search, all folds of many candidates trained in one stack."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from tuner.sklearn import KerasMLPClassifier, StackedGridSearchCV

if __name__ == "__main__":
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    network = KerasMLPClassifier((32,), optimizer="sgd", learning_rate=0.1, random_state=0)
    grid = {
        "kerasmlpclassifier__initializer": ["he_normal", "glorot_uniform", "zeros"],
        "kerasmlpclassifier__epochs": [4, 8],
    }
    search = StackedGridSearchCV(make_pipeline(MinMaxScaler(), network), grid, cv=3)
    search.fit(X_train, y_train)
    for params, score in zip(
        search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
    ):
        print(f"{score:.3f}  {params}")
    print(f"best: {search.best_params_}, test accuracy {search.score(X_test, y_test):.3f}")
