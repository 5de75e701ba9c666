# The commands that people type; what they do is in deploy/local/*.sh, cargo knows the rest.
#
# Settings, all optional: PROFILE=release, COPYDESK_LOCAL_KAFKA_PORT, COPYDESK_LOCAL_CONTROLLER_PORT, COPYDESK_LOCAL_POSTGRES_PORT,
# CARGO_TARGET_DIR.

SHELL := /bin/bash
LOCAL := deploy/local
PROFILE ?= dev
export PROFILE
# When this began, for the scripts' clock.
export COPYDESK_LOCAL_T0 := $(shell date +%s)
# Where rustup puts cargo; a shell from before that does not know.
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help setup up down status build run test race chaos hostile hosts memory bench tutorial nightly fuzz package package-try image site lint advisories fmt ci clean clean-local
# Steps that start services or build wait for each other, also under make -j.
.NOTPARALLEL:

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing on this machine and fetch Kafka's jars
	@$(LOCAL)/install.sh

up: ## Start the private Kafka and Postgres
	@$(LOCAL)/install.sh
	@$(LOCAL)/kafka.sh up
	@$(LOCAL)/postgres.sh up
	@$(LOCAL)/env.sh

down: ## Stop both; their data stay
	@$(LOCAL)/kafka.sh down
	@$(LOCAL)/postgres.sh down

status: ## Say whether both are up, and where
	@$(LOCAL)/kafka.sh status; kafka=$$?; $(LOCAL)/postgres.sh status && exit $$kafka

build: ## Build copydesk (PROFILE=release for a fast one)
	@$(LOCAL)/build.sh

run: ## The main job: set up, build, start, feed the samples, show the stories
	@$(LOCAL)/run.sh

test: ## Set up, start, check formatting and lints, run every test
	@$(LOCAL)/test.sh

race: ## 100,000 pairs of copies at once on four workers under kill -9 (COPYDESK_TEST_RACE_PAIRS)
	@$(LOCAL)/chaos.sh race

chaos: ## Ten minutes of faults, mixed, on servers of its own (COPYDESK_CHAOS_SECONDS, COPYDESK_CHAOS_SEED)
	@$(LOCAL)/chaos.sh chaos

hostile: ## 20,000 hostile messages among good ones (COPYDESK_HOSTILE_MESSAGES)
	@$(LOCAL)/chaos.sh hostile

hosts: ## As root: workers, brokers and Postgres on hosts of their own that fail: STEPS="links failover brokers" (COPYDESK_HOSTS_PAIRS, COPYDESK_HOSTS_SECONDS)
	@PROFILE=release $(LOCAL)/build.sh
	@$(LOCAL)/hosts.sh $(STEPS)

memory: ## A worker's peak of memory with a million articles waiting (COPYDESK_MEMORY_MESSAGES, COPYDESK_MEMORY_SECONDS)
	@$(LOCAL)/chaos.sh memory

bench: ## Articles a second from the topic to Postgres, beside the ceiling and its peers (COPYDESK_BENCH_KINDS, COPYDESK_BENCH_MESSAGES, COPYDESK_BENCH_JAVA_PEERS=yes)
	@$(LOCAL)/bench.sh

tutorial: ## Every command of docs/tutorial.md with all of its 10,000 pages (COPYDESK_TUTORIAL_PAGES)
	@$(LOCAL)/chaos.sh tutorial

nightly: ## What takes hours: oldest Rust, fuzzing, chaos, race, hostile, memory, tutorial, queries (STEPS="msrv fuzz" for some of them)
	@$(LOCAL)/nightly.sh $(STEPS)

fuzz: ## Each fuzz target for a minute (COPYDESK_FUZZ_SECONDS)
	@$(LOCAL)/fuzz.sh $(COPYDESK_FUZZ_SECONDS)

package: ## The Debian package, the licences and the SBOM of what is built in, under .local/package
	@$(LOCAL)/package.sh

package-try: ## As root: install the package in a clean Debian, run it, start its units where systemd-nspawn can
	@$(LOCAL)/package.sh try

image: ## As root: build deploy/Containerfile around the package's executable, without a container engine, and run it
	@$(LOCAL)/package.sh image

site: ## The pages of docs/ as a site, under .local/site/html (fetches mkdocs)
	@python3 -m venv .local/site/venv
	@.local/site/venv/bin/pip install --quiet --requirement deploy/site/requirements.txt
	@.local/site/venv/bin/mkdocs build --quiet --strict --config-file deploy/site/mkdocs.yml
	@echo "the site is in .local/site/html; index.html is its first page"

lint: ## The checks of `make test` without the tests
	@$(LOCAL)/test.sh --lint

advisories: ## Fail where RustSec knows something about a crate that is built in (needs the network)
	@$(LOCAL)/advisories.sh

fmt: ## Format all Rust code
	@cargo fmt --all

ci: ## What the build server runs: `make test` on free ports, then `make down`
	@.ci/run

clean: ## Delete what was built
	@cargo clean

clean-local: ## Stop both services and delete their data, logs and jars
	@$(LOCAL)/kafka.sh down
	@$(LOCAL)/postgres.sh down
	@$(LOCAL)/postgres.sh wipe
	@rm -rf .local
