# Names for the scripts; `make` lists them. Arguments: make bench ARGS="--help"
.PHONY: help setup build demo dev net test soak bench weights fuzz planted check doc chain-spec clean-dev

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-11s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing to build (prints what it does)
	@scripts/setup

build: ## build every program
	@scripts/build

demo: ## a real chain, hub and wallets, telling what they do
	@scripts/demo $(ARGS)

dev: ## a chain and a hub to develop against
	@scripts/dev $(ARGS)

net: ## four validators and two hubs; scripts/net stops, cuts off, restarts them
	@scripts/net $(ARGS)

test: ## set-up, checks, build and every test
	@scripts/test

soak: ## random sequences on chain, 100,000 simulated games, 200 kills: hours
	@scripts/soak $(ARGS)

bench: ## measure
	@scripts/bench $(ARGS)

weights: ## measure what calls cost, and write it into the pallets
	@scripts/weights $(ARGS)

fuzz: ## an hour of arbitrary input; make fuzz ARGS="calls 10"
	@scripts/fuzz $(ARGS)

planted: ## switch off rules one by one: tests must fail; ARGS="m5-late"
	@scripts/planted $(ARGS)

check: ## format, lints and no_std
	@scripts/check

doc: ## the reference of every crate
	@scripts/doc

chain-spec: ## write the chain specifications
	@chain-spec/generate

clean-dev: ## forget the chain and hub of `make dev`
	@scripts/clean-dev
