# What there is to do with a checkout. Each target sets libtorch up first, where it is missing.

PYTHON ?= python3
CARGO ?= cargo
DEMO := target/demo
# for how long each fuzzer runs
SECONDS ?= 300
# how often the kill test kills, and what decides the instants
KILLS ?= 40
SEED ?= 1
# how many random configurations are resumed
CONFIGURATIONS ?= 500
# how long the soak is
STEPS ?= 1000000

.PHONY: help setup python demo test lint bench doctor kill-test resume-test soak fuzz

help:
	@echo "make demo     train on handwritten digits, test, and predict, in $(DEMO)"
	@echo "make test     run all tests"
	@echo "make lint     look at format, lints and documentation"
	@echo "make bench    measure a training step, and what the macros cost a build"
	@echo "make doctor   show what was found: libtorch, devices, threads"
	@echo "make kill-test  kill a training KILLS=40 times, and once more with averaged weights, and compare it with one left alone"
	@echo "make resume-test  train CONFIGURATIONS=500 random configurations with and without an interruption, from SEED=1 on"
	@echo "make soak     train for STEPS=1000000, and look at the memory"
	@echo "make fuzz     feed broken files to what reads files, for SECONDS=300 each"
	@echo "make setup    get libtorch and tell cargo where it is"
	@echo "make python   make the Python that some tests ask about PyTorch"

setup:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "error: $(PYTHON) is not found, and the set-up needs Python 3.9 or newer with pip: install it, or name it with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) setup/libtorch.py

python: setup
	@$(PYTHON) setup/python.py

demo: setup
	$(CARGO) build --release --quiet -p examples
	mkdir -p $(DEMO)
	cd $(DEMO) && ../release/digits fit
	cd $(DEMO) && ../release/digits test
	cd $(DEMO) && ../release/digits predict

test: python
	$(CARGO) test --workspace

lint: setup
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

bench: setup
	$(CARGO) bench --quiet -p benches --no-run
	@# the trainer shows its progress, in a file
	$(CARGO) bench --quiet -p benches 2>target/bench.log || { cat target/bench.log; exit 1; }
	@# as users' builds have the macros: not optimized
	$(CARGO) bench --quiet --profile dev -p tch-lightning-macros

doctor: setup
	@$(CARGO) run --release --quiet -p examples --bin digits -- doctor

kill-test: setup
	@$(CARGO) run --release --quiet -p tests --bin kill_test -- --kills $(KILLS) --seed $(SEED)
	@$(CARGO) run --release --quiet -p tests --bin kill_test -- --kills $(KILLS) --seed $(SEED) --averages

resume-test: setup
	@$(CARGO) build --release --quiet -p tests --bin random_resume
	@# each training says how it ended, in a file
	@target/release/random_resume --configurations $(CONFIGURATIONS) --seed $(SEED) 2>target/resume.log

soak: setup
	@$(CARGO) run --release --quiet -p tests --bin soak -- $(STEPS)

# without a sanitizer, which would need a nightly Rust; in libtorch's C++ none would see anything
fuzz: setup
	@command -v cargo-fuzz >/dev/null || $(CARGO) install cargo-fuzz --locked --version 0.13.2
	@for target in $$($(CARGO) fuzz list); do \
		mkdir -p fuzz/corpus/$$target && \
		$(CARGO) fuzz run --sanitizer none --debug-assertions $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(SECONDS) || exit 1; \
	done
