# `make demo` runs the whole road on a fresh machine; `make test` runs every test that needs no device.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS ?= all

.PHONY: android demo test install lint

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
	$(MAKE) --no-print-directory android

# The Android demo, held to what Python hears: built, tested, drawn, packed, signed and checked without a phone.
android: install
	@command -v mvn >/dev/null || { echo "the Android demo needs the packages of apt-packages.txt: apt-get install maven and so on" >&2; exit 1; }
	$(BIN)/python -m tests.parity.references android_demo/target/parity
	mvn --batch-mode --no-transfer-progress -f android_demo/pom.xml -Dparity.required=true verify

demo:
	@start=$$(date +%s); $(MAKE) --no-print-directory install && installed=$$(date +%s) \
	&& PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh && done=$$(date +%s) \
	&& echo "installation took $$((installed - start)) s, the demonstration $$((done - installed)) s"
