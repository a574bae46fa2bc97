# `make demo` runs the whole road on a fresh machine; `make test` runs every test that needs no device.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS ?= all

.PHONY: demo test install lint

install: $(VENV)/.installed

# uv resolves and unpacks the whole stack in under a minute where pip needs several.
$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install lint
	$(BIN)/pytest -m 'not device'

demo:
	@start=$$(date +%s); $(MAKE) --no-print-directory install && installed=$$(date +%s) \
	&& PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh && done=$$(date +%s) \
	&& echo "installation took $$((installed - start)) s, the demonstration $$((done - installed)) s"
