"""Many fits on joblib's dask and ray backends, with local clusters of two processes; predictions in blocks."""

import os
import shutil
import sys
from contextlib import contextmanager

import joblib
import matplotlib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_validate

from sklearn_rnn import SemiSupervisedRNNClassifier, io
from sklearn_rnn.datasets import hide_labels, make_sines
from sklearn_rnn.model_selection import PartiallyLabeledSplit, compare_to_supervised
from sklearn_rnn.plotting import LabelEfficiencyDisplay

pytestmark = [
    pytest.mark.slow,
    pytest.mark.full_epochs,
    pytest.mark.filterwarnings("default"),
]  # other libraries' own warnings

X, true = make_sines(40, n_steps=12, random_state=0)
Y = hide_labels(true, 16, random_state=0)
CLF = SemiSupervisedRNNClassifier("fixmatch", hidden_size=4, n_kernels=8, max_epochs=1, random_state=0)


@contextmanager
def dask_backend():
    distributed = pytest.importorskip("dask.distributed", reason="needs distributed")
    with (
        distributed.Client(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None),
        joblib.parallel_backend("dask", scatter=[X, Y]),
    ):
        yield


@contextmanager
def ray_backend():
    ray = pytest.importorskip("ray", reason="needs ray")
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False)
    register_ray()
    try:
        with joblib.parallel_backend("ray"):
            yield
    finally:
        ray.shutdown()


def searched():
    search = GridSearchCV(CLF, {"hidden_size": [4, 6]}, cv=PartiallyLabeledSplit(2)).fit(X, Y)
    return search.cv_results_["split0_test_score"], search.predict_proba(X)


def validated():
    found = cross_validate(CLF, X, Y, cv=PartiallyLabeledSplit(2), return_estimator=True)
    return found["test_score"], *[clf.label_distributions_ for clf in found["estimator"]]


def compared():
    found = compare_to_supervised(CLF, X, Y, cv=2)
    return np.asarray(found.scores), np.asarray(found.supervised_scores)


def displayed():
    matplotlib.use("Agg")
    cv = PartiallyLabeledSplit(2)
    return tuple(LabelEfficiencyDisplay.from_estimator(CLF, X, Y, n_labeled=[4, 8], cv=cv).scores.values())


@pytest.mark.parametrize("backend", [dask_backend, ray_backend])
def test_a_cluster_gives_the_bits_of_one_process(backend):
    calls = (searched, validated, compared, displayed)
    expected = [call() for call in calls]
    with backend():
        found = [call() for call in calls]
    for one, other in zip(expected, found, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_saved_model_predicts_in_blocks_of_dask(tmp_path):
    da = pytest.importorskip("dask.array", reason="needs dask")
    distributed = pytest.importorskip("dask.distributed", reason="needs distributed")
    clf, path = CLF.fit(X, Y), str(tmp_path / "clf.safetensors")
    io.save(clf, path)

    def probabilities(block):
        return io.load(path).predict_proba(block) if len(block) else np.empty((0, 2), np.float32)

    rows = da.from_array(X, chunks=(15, *X.shape[1:]))
    with distributed.Client(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None):
        out = rows.map_blocks(
            probabilities,
            dtype=np.float32,
            drop_axis=list(range(1, X.ndim)),
            new_axis=1,
            chunks=(rows.chunks[0], (len(clf.classes_),)),
            meta=np.empty((0, 2), np.float32),
        ).compute()
    np.testing.assert_array_equal(out, clf.predict_proba(X))


def test_a_saved_model_predicts_in_batches_of_ray(tmp_path):
    ray = pytest.importorskip("ray.data", reason="needs ray")
    clf, path = CLF.fit(X, Y), str(tmp_path / "clf.safetensors")
    io.save(clf, path)
    import ray as cluster

    cluster.init(num_cpus=2, include_dashboard=False)
    try:
        rows = ray.from_numpy(X).map_batches(lambda batch: {"y": io.load(path).predict(batch["data"])}, batch_size=16)
        found = [row["y"] for row in rows.take_all()]
    finally:
        cluster.shutdown()
    np.testing.assert_array_equal(sorted(found), sorted(clf.predict(X)))


def test_a_saved_model_predicts_in_spark(tmp_path, monkeypatch):
    sql = pytest.importorskip("pyspark.sql", reason="needs pyspark")
    if "JAVA_HOME" not in os.environ and shutil.which("java") is None:
        pytest.skip("needs Java")
    clf, path = CLF.fit(X, Y), str(tmp_path / "clf.safetensors")
    io.save(clf, path)

    def predicted(frames):
        clf = io.load(path)
        for frame in frames:
            yield frame[["row"]].assign(y=clf.predict([np.stack(steps) for steps in frame["steps"]]))

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    spark = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        rows = [(i, x.tolist()) for i, x in enumerate(X)]
        table = spark.createDataFrame(rows, "row long, steps array<array<float>>").repartition(2)
        found = table.mapInPandas(predicted, "row long, y long").toPandas().sort_values("row")["y"]
    finally:
        spark.stop()
    np.testing.assert_array_equal(found, clf.predict(X))
