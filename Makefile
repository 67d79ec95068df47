# Every target works in a fresh clone: the environment is made by the first that needs it.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DEMO := demo

.PHONY: demo test check style types doctests clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

demo: $(READY)  ## fit a diffusion to handwritten digits and draw new ones
	mkdir -p $(DEMO)
	$(BIN)/pushforward fit diffusion digits --given label --minutes 1.5 --seed 0 --out $(DEMO)/digit-diffusion
	$(BIN)/pushforward sample $(DEMO)/digit-diffusion -n 100 --each label --seed 1 --out $(DEMO)/digits.png
	@echo "Look at $(DEMO)/digits.png"

check: style types doctests  ## what needs no suite; -j2 lets the types of a fresh clone be found beside the doctests

style: $(READY)
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

doctests: $(READY)  ## one thread each: two processes share the cores
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --doctest-modules --doctest-glob="*.md" src README.md docs/handbook -p no:cacheprovider

test: $(READY)  ## the whole suite; the tests of a file share what was fitted, so they run in one process
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --durations=30

clean:
	rm -rf .venv $(DEMO) dist build
