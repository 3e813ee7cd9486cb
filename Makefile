PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

PYTEST := OMP_NUM_THREADS=1 SCIPY_ARRAY_API=1 $(BIN)/python -m pytest -n 2

.PHONY: venv test test-slow test-clients demo docs lint speed clean

venv: .venv/.installed

# torch comes first and alone: any other version pulls gigabytes.
.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev]'
	touch $@

test: venv
	$(PYTEST) -m "not slow"

test-slow: venv
	$(PYTEST) -m slow

test-clients: .venv-clients/.installed
	OMP_NUM_THREADS=1 SCIPY_ARRAY_API=1 .venv-clients/bin/python -m pytest -n 2 tests/test_clients.py tests/test_clusters.py tests/test_processes.py tests/test_field_export.py tests/test_stored.py

# An environment of its own: where pyarrow is installed, pandas reads strings in another way.
.venv-clients/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip install -c constraints.txt torch==2.13.0
	.venv-clients/bin/python -m pip install -c constraints.txt -e '.[dev,clients]'
	touch $@

demo: venv
	$(BIN)/python examples/demo.py

# Nothing is fetched while pages are built. `GALLERY=0 make docs` does not run the examples.
docs: .venv/.docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

.venv/.docs: .venv/.installed
	$(BIN)/python -m pip install -c constraints.txt -e '.[docs]'
	touch $@

lint: venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy sklearn_rnn

speed: venv
	$(BIN)/python benchmarks/speed.py

clean:
	rm -rf .venv .venv-clients build dist docs/_build docs/gallery docs/reference docs/objectives *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
