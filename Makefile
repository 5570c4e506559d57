# SPDX-License-Identifier: Apache-2.0
.DEFAULT_GOAL := help
.PHONY: help demo test docs sanitize build bench variants format lint clean setup

# Homebrew's libraries are outside the compiler's own search paths.
ifeq ($(shell uname -s),Darwin)
export CPATH := $(shell brew --prefix 2>/dev/null)/include
export LIBRARY_PATH := $(shell brew --prefix 2>/dev/null)/lib
endif

KASANE := .build/release/kasane

help: ## List the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1	/' | expand -t 16

demo: build ## Set up, build and train the binary-addition exercise
	$(KASANE) train binary-addition

test: setup ## Set up and run the whole test suite
	swift build --build-tests
	swift test --skip-build
	scripts/test-operations.sh

sanitize: setup ## Run the tests under AddressSanitizer, and those of shared state under ThreadSanitizer
	scripts/sanitize.sh

docs: setup ## Build the documentation into .build/documentation
	scripts/docs.sh

build: setup ## Set up and build in release mode
	swift build -c release

bench: build ## Time Kasane on the benchmark's workloads
	$(KASANE) bench binary-addition --threads 1

variants: build ## Train the exercise's variants over ten seeds and draw their curves
	Benchmarks/binary-addition-variants.sh

format: ## Format the sources in place
	swift format --in-place --recursive Package.swift Sources Tests

lint: ## Check the sources' formatting
	swift format lint --strict --recursive Package.swift Sources Tests

clean: ## Remove what the build made
	swift package clean

setup:
	@scripts/setup.sh
