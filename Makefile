# What is downloaded or compiled once per machine lives outside the clone, so that a fresh clone does not start over.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/blue-faas
export CARGO_TARGET_DIR ?= $(CACHE)/target
export BLUE_FAAS_VENV ?= $(CACHE)/venv
export CHROMIUM ?= /usr/bin/chromium
export PATH := $(CACHE)/tools/bin:$(CURDIR)/node_modules/.bin:$(PATH)

# --split makes a lazy route's code a file of its own. Dev and release use the same flags: what is tested is what ships.
LEPTOS_FLAGS ?= --split
# Files are compressed once, at build time; the server then sends them as they are.
RELEASE_FLAGS ?= --precompress
ARGS ?=

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-build setup-run setup-check setup-test setup-deploy setup-bench setup-fuzz run build dev check lint test openapi nextest schemathesis deploy-check end2end-site end2end bench soak fuzz clean

# Directories are listed too: their time stamp is how a deleted file is noticed.
INPUTS := $(shell find src style public .cargo Cargo.toml Cargo.lock rust-toolchain.toml package-lock.json docs/API.md $(wildcard docs/openapi.json) 2>/dev/null)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: setup-run ## install the tools that building and running need; every target does it by itself

setup-build:
	@tools/setup rust cargo-leptos wasm-bindgen npm reference
setup-run: setup-build
	@tools/setup venv
setup-check:
	@tools/setup rust nextest venv
setup-test: setup-build setup-check setup-deploy
	@tools/setup chromium fonts prometheus registry dynoxide curl
setup-deploy:
	@tools/setup moto helm-template
setup-fuzz:
	@tools/setup rust fuzz
setup-bench: setup-run
	@tools/setup wrk

run: setup-run build ## build and serve the console on http://127.0.0.1:3000, functions on :3001 (ARGS="--help")
	@BLUE_FAAS_SITE=$(CURDIR)/target/site exec target/release/blue-faas $(ARGS)

build: target/release/blue-faas ## release build: target/release/blue-faas and target/site

# The server by plain cargo, as `make test` does: cargo-leptos would build it in another environment, and so anew.
# LEPTOS_SITE_ROOT is set here as well, or one from the caller's environment would move the site.
target/release/blue-faas: $(INPUTS) | setup-build
	cargo build --release --locked --features ssr --bin blue-faas
	LEPTOS_SITE_ROOT=target/site cargo leptos build --release --frontend-only $(LEPTOS_FLAGS) $(RELEASE_FLAGS)
	$(call stage,release)

# target/debug/site, beside the executable: `make run` keeps target/site meanwhile. Not together with `make test`, which
# builds into the same place.
dev: setup-run ## build and serve, and again whenever a file changes
	LEPTOS_SITE_ROOT=target/debug/site BLUE_FAAS_SITE=$(CURDIR)/target/debug/site cargo leptos watch $(LEPTOS_FLAGS)

check: lint ## formatting, lints for server and browser, unit tests: before every commit
	cargo nextest run --locked --features ssr --lib

lint: setup-check
	cargo fmt --check
	cargo clippy --quiet --locked --features ssr --all-targets -- -D warnings
	cargo clippy --quiet --locked --features hydrate --lib --target wasm32-unknown-unknown -- -D warnings

test: setup-test lint deploy-check nextest schemathesis end2end ## everything: lints, the chart, all Rust tests, the API searched for surprises, the console in Chromium

# The test that compares the file writes it then.
openapi: setup-check ## write docs/openapi.json anew from the handlers
	BLUE_FAAS_WRITE_OPENAPI=yes cargo nextest run --locked --features ssr --lib docs_openapi_json

nextest: setup-test
	cargo nextest run --locked --features ssr

deploy-check: setup-deploy ## render the Helm chart under several values and hold it to the schemas of Kubernetes
	$(CACHE)/test-venv/bin/python deploy/check $(CACHE)/tools/bin/helm-template

# On the executable that nextest built. Two minutes, four on a machine that is ten times slower; the limit is for what hangs.
schemathesis: setup-test nextest ## search the running API for answers that its OpenAPI document does not know
	timeout 600 tests/schemathesis/run "$(CARGO_TARGET_DIR)/debug/blue-faas"

# The browser is served by the executable that nextest built; only the browser's half is built anew.
end2end-site: setup-test nextest
	LEPTOS_SITE_ROOT=target/debug/site cargo leptos build --frontend-only $(LEPTOS_FLAGS)
	$(call stage,debug)

end2end: end2end-site
	playwright test --config end2end/playwright.config.ts $(ARGS)

bench: setup-bench build ## measure the figures of docs/BENCHMARKS.md on this machine
	benches/run $(ARGS)

soak: setup-bench setup-check build ## compare all builds with the stock ones, kill servers while they build, make the services around them fail, load one for a long time
	BLUE_FAAS_DIFFERENTIAL=all cargo nextest run --locked --features ssr engine::differential
	BLUE_FAAS_REPLICA_BUILDS=200 cargo nextest run --locked --features ssr engine::replicas
	BLUE_FAAS_CHAOS_RUNS=500 cargo nextest run --locked --features ssr chaos
	benches/soak $(ARGS)

# libFuzzer without a sanitizer: it needs no nightly compiler, and the code it looks for panics in is safe Rust.
fuzz: setup-fuzz ## search for input that makes the readers of bases and images panic (SECONDS=300 each)
	for target in base image; do \
		mkdir -p "$(CACHE)/fuzz/$$target"; \
		cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none --target-dir "$(CACHE)/fuzz/target" $$target \
			"$(CACHE)/fuzz/$$target" tests/fuzz/seeds/$$target -- -max_total_time=$(or $(SECONDS),300) -max_len=16384; \
	done

clean: ## remove what was built in this clone; the tools and the shared build cache stay
	rm -rf target node_modules public/reference end2end/test-results end2end/playwright-report
	@echo "Kept: $(CACHE)"

# Copies an executable and the names of the site's files (hash.txt, read from beside it) out of cargo's directory, where
# another clone's build may replace them at any time. install makes a new file: a server running the old one is safe.
define stage
@mkdir -p target/$(1)
	@for file in blue-faas hash.txt; do \
		[ "$(CARGO_TARGET_DIR)/$(1)/$$file" -ef "target/$(1)/$$file" ] || install "$(CARGO_TARGET_DIR)/$(1)/$$file" target/$(1)/; \
	done
endef
