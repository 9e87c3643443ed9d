# What there is to do with a checkout. Each target sets libtorch up first, where it is missing.

PYTHON ?= python3
CARGO ?= cargo
DEMO := target/demo

.PHONY: help setup demo test lint bench doctor

help:
	@echo "make demo     train on handwritten digits, test, and predict, in $(DEMO)"
	@echo "make test     run all tests"
	@echo "make lint     look at format, lints and documentation"
	@echo "make bench    measure a training step, and what the macros cost a build"
	@echo "make doctor   show what was found: libtorch, devices, threads"
	@echo "make setup    get libtorch and tell cargo where it is"

setup:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "error: $(PYTHON) is not found, and the set-up needs Python 3.9 or newer with pip: install it, or name it with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) setup/libtorch.py

demo: setup
	$(CARGO) build --release --quiet -p examples
	mkdir -p $(DEMO)
	cd $(DEMO) && ../release/digits fit
	cd $(DEMO) && ../release/digits test
	cd $(DEMO) && ../release/digits predict

test: setup
	$(CARGO) test --workspace

lint: setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

bench: setup
	$(CARGO) bench --quiet -p benches --no-run
	@# the trainer shows its progress, in a file
	$(CARGO) bench --quiet -p benches 2>target/bench.log || { cat target/bench.log; exit 1; }
	$(CARGO) bench --quiet -p tch-lightning-macros

doctor: setup
	@$(CARGO) run --release --quiet -p examples --bin digits -- doctor
