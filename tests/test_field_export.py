"""The modules can be made into a graph at one size that holds at others, as exporters do."""

import io
import itertools

import pytest
import torch
from objective_cases import made_model

from sklearn_rnn.modules import CELLS, POOLINGS
from sklearn_rnn.objectives import Reconstruction, Supervised

EXAMPLE = torch.tensor([8, 3, 5])  # lengths
OTHERS = [torch.tensor([17, 1, 9, 16, 4]), torch.tensor([8, 8]), torch.tensor([1])]
# of torch's own: what is deprecated, and where its layers check the shapes they get
TORCH = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::torch.jit.TracerWarning:torch.nn",
)
CASES = [
    *((tokens, "gru", pooling, True, 4) for tokens, pooling in itertools.product([False, True], POOLINGS)),
    *((False, cell, "last", both, patch) for cell in CELLS for both, patch in ((False, 1), (True, 3))),
]
ONNX_CASES = [
    (False, "gru", "mean_max", True, 4),  # as by default
    (True, "lstm", "last", True, 1),
    pytest.param(False, "lstm", "attention", True, 3, marks=pytest.mark.slow),
    pytest.param(False, "rnn", "last", False, 1, marks=pytest.mark.slow),
    pytest.param(False, "mingru", "mean_max", True, 3, marks=pytest.mark.slow),
    pytest.param(True, "gru", "mean", True, 2, marks=pytest.mark.slow),
]


def model_of(tokens=False, cell="gru", pooling="mean_max", bidirectional=True, patch_size=4, cls=Supervised):
    model = made_model(cls, tokens, patch_size=patch_size, cell=cell, pooling=pooling, bidirectional=bidirectional)
    return model.requires_grad_(False).eval()


def values_of(lengths, tokens=False, longest=None):
    generator, shape = torch.Generator().manual_seed(len(lengths)), (len(lengths), longest or int(lengths.max()))
    if tokens:
        return torch.randint(6, shape, generator=generator)
    return torch.randn(*shape, 2, generator=generator)


def check(answer, model, tokens):
    with torch.jit.optimized_execution(False):  # which compiles the graph anew for each size
        for lengths in [EXAMPLE, *OTHERS]:
            for longest in (None, 20):  # padding beyond the longest
                values = values_of(lengths, tokens, longest)
                torch.testing.assert_close(answer(values, lengths), model(values, lengths), rtol=0, atol=1e-5)


@TORCH
@pytest.mark.parametrize(("tokens", "cell", "pooling", "bidirectional", "patch_size"), CASES)
def test_a_trace_at_one_batch_size_and_length_answers_right_at_others(tokens, cell, pooling, bidirectional, patch_size):
    model = model_of(tokens, cell, pooling, bidirectional, patch_size)
    check(torch.jit.trace(model, (values_of(EXAMPLE, tokens), EXAMPLE), check_trace=False), model, tokens)


@TORCH
def test_a_trace_of_codes_of_whole_sequences_answers_right_at_other_sizes():
    model = model_of(cls=Reconstruction)
    trace = torch.jit.trace(lambda values: model(values, None), (values_of(EXAMPLE),), check_trace=False)
    for others in OTHERS:
        values = values_of(others)
        torch.testing.assert_close(trace(values), model(values, None), rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore")  # the exporter's own
@pytest.mark.parametrize(("tokens", "cell", "pooling", "bidirectional", "patch_size"), ONNX_CASES)
def test_onnx_runs_a_model_at_sizes_other_than_the_example(tokens, cell, pooling, bidirectional, patch_size):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model = model_of(tokens, cell, pooling, bidirectional, patch_size)
    file = io.BytesIO()
    torch.onnx.export(
        model,
        (values_of(EXAMPLE, tokens), EXAMPLE),
        file,
        input_names=["values", "lengths"],
        dynamic_axes={"values": {0: "n", 1: "steps"}, "lengths": {0: "n"}},
        dynamo=False,
    )
    session = runtime.InferenceSession(file.getvalue())

    def answer(values, lengths):
        return torch.from_numpy(session.run(None, {"values": values.numpy(), "lengths": lengths.numpy()})[0])

    check(answer, model, tokens)
