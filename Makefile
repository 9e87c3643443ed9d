# The tasks of a checkout. Each target installs libtorch first if it is missing.

PYTHON ?= python3
CARGO ?= cargo
DEMO := target/demo
# the seconds that each fuzzer runs
SECONDS ?= 300
# the turns of the benchmarks of a training step, in place of their own numbers
TURNS ?=
# the number of kills of the kill test, and the seed of their times
KILLS ?= 40
SEED ?= 1
# the number of random configurations of the resume test
CONFIGURATIONS ?= 500
# the number of steps of the soak test
STEPS ?= 1000000

# the example to bundle, and the folder
PROGRAM ?= digits
BUNDLE ?= target/bundle

# the git revision that the public API is compared with: the last release
REV ?= $(shell git describe --tags --abbrev=0 --match 'v*' 2>/dev/null)

.PHONY: help setup python demo test examples lint bench bench-ddp bench-loader doctor bundle package semver mlflow wandb pictures book kill-test fault-table resume-test soak fuzz

help:
	@echo "make demo     train on handwritten digits, test, and predict, in $(DEMO)"
	@echo "make test     run all tests"
	@echo "make examples  train the examples, some of them for a short time, and check what they have learned"
	@echo "make lint     check format, lints and documentation"
	@echo "make bench    measure a training step, what loggers, bar and profiler add to it, and the time that the macros add to a build"
	@echo "make bench-ddp  compare a training step in two processes with PyTorch's DistributedDataParallel"
	@echo "make bench-loader  compare the samples a second of a loader with those of PyTorch's DataLoader"
	@echo "make doctor   print the libtorch, the devices and the threads in use"
	@echo "make bundle   copy the example PROGRAM=digits and its libraries into BUNDLE=target/bundle, to run on other machines"
	@echo "make package  build the packages for crates.io, and the README's program with them"
	@echo "make semver   compare the public API with the last release, or with the git revision REV=…"
	@echo "make kill-test  kill a training KILLS=40 times, again with averaged weights, half as often in two processes, and compare each with an uninterrupted one"
	@echo "make resume-test  train CONFIGURATIONS=500 random configurations with and without an interruption, from SEED=1 on"
	@echo "make fault-table  end one of several processes in each way 20 times, and show how soon the others end, and with what"
	@echo "make soak     train for STEPS=1000000, and check that the memory does not grow"
	@echo "make pictures  make the pictures of the terminal in docs, by Chromium"
	@echo "make book     build the book in target/book"
	@echo "make fuzz     feed broken files to each reader of files, for SECONDS=300 each"
	@echo "make setup    install libtorch, compile its bindings, and tell cargo where they are"
	@echo "make python   create the Python environment of the tests that compare with PyTorch"
	@echo "make mlflow   install the MLflow server of the tests of MlflowLogger, which are skipped without it"
	@echo "make wandb    install the W&B client of the tests of WandbLogger, which are skipped without it"

setup:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "error: $(PYTHON) is not found, but the set-up needs Python 3.9 or newer with pip: install it, or set PYTHON=…" >&2; exit 1; }
	@$(PYTHON) setup/libtorch.py

python: setup
	@$(PYTHON) setup/python.py

mlflow wandb: setup
	@$(PYTHON) setup/trackers.py $@

demo: setup
	$(CARGO) build --release --quiet -p examples --no-default-features --bin digits
	mkdir -p $(DEMO)
	cd $(DEMO) && ../release/digits fit
	cd $(DEMO) && ../release/digits fit --max-epochs 2 --devices 2 --strategy ddp
	cd $(DEMO) && ../release/digits test
	cd $(DEMO) && ../release/digits predict

test: python
	$(CARGO) test --workspace

examples: setup
	$(CARGO) test --release -p examples

lint: setup
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --lib --no-deps --quiet

bench: setup
	$(CARGO) bench --quiet -p benches --no-default-features --no-run
	@# the progress of the trainer goes to a file
	$(CARGO) bench --quiet -p benches --no-default-features -- $(TURNS) 2>target/bench.log || { cat target/bench.log; exit 1; }
	@# without optimization, as in users' builds
	$(CARGO) bench --quiet --profile dev -p tch-lightning-macros

bench-ddp: python
	@$(CARGO) build --release --quiet -p benches --bin ddp_step
	@$(PYTHON) benches/ddp/compare.py target/release/ddp_step

bench-loader: python
	@$(CARGO) build --release --quiet -p benches --bin loader_speed
	@$(PYTHON) benches/loader/compare.py target/release/loader_speed

doctor: setup
	@$(CARGO) run --release --quiet -p examples --no-default-features --bin digits -- doctor

bundle: setup
	$(CARGO) build --release --quiet -p examples --bin $(PROGRAM)
	@$(PYTHON) setup/bundle.py target/release/$(PROGRAM) $(BUNDLE)

# the target folder is shared, so that only the packages and the program are built
package: setup
	@$(PYTHON) setup/package.py

semver: setup
	@test -n "$(REV)" || \
		{ echo "there is no release to compare with yet: name a git revision by REV=…" >&2; exit 0; }; \
	command -v cargo-semver-checks >/dev/null || \
		{ echo "error: cargo-semver-checks is not found: run cargo install cargo-semver-checks --locked" >&2; exit 1; }; \
	$(CARGO) semver-checks --package tch-lightning --baseline-rev $(REV)

kill-test: setup
	@$(CARGO) run --release --quiet -p tests --bin kill_test -- --kills $(KILLS) --seed $(SEED)
	@$(CARGO) run --release --quiet -p tests --bin kill_test -- --kills $(KILLS) --seed $(SEED) --averages
	@$(CARGO) run --release --quiet -p tests --bin kill_test -- --kills $$(($(KILLS) / 2)) --seed $(SEED) --devices 2

resume-test: setup
	@$(CARGO) build --release --quiet -p tests --bin random_resume
	@# the messages of the trainings go to a file
	@target/release/random_resume --configurations $(CONFIGURATIONS) --seed $(SEED) 2>target/resume.log

fault-table: setup
	@$(CARGO) test --quiet -p tests --test distributed -- --ignored --nocapture fault_table

soak: setup
	@$(CARGO) run --release --quiet -p tests --bin soak -- $(STEPS)

pictures: setup
	@$(CARGO) build --release --quiet -p examples -p tests --bin digits --bin pictures
	@target/release/pictures

# `make test` runs the programs of the chapters, and checks the links
book:
	@command -v mdbook >/dev/null || $(CARGO) install mdbook --locked --version 0.5.4 --no-default-features --features search
	@mdbook build book

# without a sanitizer, which would need a nightly Rust and would not cover libtorch
fuzz: setup
	@command -v cargo-fuzz >/dev/null || $(CARGO) install cargo-fuzz --locked --version 0.13.2
	@for target in $$($(CARGO) fuzz list); do \
		mkdir -p fuzz/corpus/$$target && \
		$(CARGO) fuzz run --sanitizer none --debug-assertions $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
			-max_total_time=$(SECONDS) || exit 1; \
	done
