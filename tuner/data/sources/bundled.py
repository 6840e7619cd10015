"""`sklearn:NAME`: the real datasets that scikit-learn carries in its own package."""

import numpy as np

from tuner.data.dataset import Task
from tuner.data.sources.base import RawData, Request, Source
from tuner.errors import DataError, unknown


class Bundled(Source):
    """The real datasets that scikit-learn's package carries; `sklearn:digits`, the default, is 1797
    handwritten digits of 8 x 8 pixels."""

    name = "sklearn"
    names = ("digits", "iris", "wine", "breast_cancer", "diabetes")
    what = "digits, iris, wine, breast_cancer or diabetes"

    def read(self, name: str, request: Request) -> RawData:
        """The dataset as scikit-learn's own loader gives it: rows, order and class numbers alike.

        `digits` are 1797 images of 8 x 8 with 17 grey levels, 0 to 16. scikit-learn's digits are
        drawn by hand; they are not MNIST. Target names become the classes.

        Raises:
            DataError: another name.
        """
        if name not in self.names:
            raise DataError(unknown("dataset of scikit-learn", name, self.names))
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{name}")()
        classes = None if name in ("digits", "diabetes") else tuple(map(str, bunch.target_names))
        task: Task = "binary" if classes is not None and len(classes) == 2 else "multiclass"
        return RawData(
            x=bunch.images.astype(np.uint8) if name == "digits" else bunch.data,
            y=bunch.target,
            feature_names=tuple(map(str, bunch.feature_names)),
            class_names=classes,
            task="regression" if name == "diabetes" else task,
        )
