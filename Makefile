# The front door: every target is one or two plain commands, listed by `make help`.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
CONFIGURE = cmake --preset
BUILD = cmake --build --preset
SOURCES = git ls-files '*.h' '*.cuh' '*.cpp' '*.cu'
export JOBS

.PHONY: help setup build quickstart test bench format lint asan tsan soak install dist

help:  ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

setup:  ## install what the build and the tests need (Debian packages, static libraries)
	@cmake/setup.sh all

build:  ## build/llmtool, optimised
	@cmake/setup.sh build
	@$(CONFIGURE) release
	@$(BUILD) release -j $(JOBS)

quickstart: build  ## text to a trained model: recipes/quickstart/run.sh
	@LLMTOOL=$(CURDIR)/build/llmtool bash recipes/quickstart/run.sh

test: setup build  ## build and run every test
	@ctest --test-dir build -j $(JOBS) --output-on-failure

bench: build  ## each operation and a whole training step beside the peaks of this machine
	@for n in 1 $$(nproc); do build/llmtool bench peak --threads $$n; done
	@build/llmtool bench kernels
	@build/llmtool bench train

format:  ## clang-format every source file
	@$(SOURCES) | xargs clang-format -i

lint:  ## the format and cppcheck, as errors
	@$(SOURCES) | xargs -P $(JOBS) -n 32 clang-format --dry-run --Werror
	@git ls-files 'lib/*.cpp' 'kernels/*.cpp' 'cmd/*.cpp' | cppcheck --quiet -j $(JOBS) --file-list=- \
	  --std=c++20 --language=c++ -I . --enable=warning,portability --inline-suppr \
	  --suppressions-list=cmake/cppcheck.txt --error-exitcode=1

asan: setup  ## unit, command line and fault tests under ASan and UBSan
	@$(CONFIGURE) asan
	@$(BUILD) asan -j $(JOBS)
	@ctest --test-dir build-asan -j $(JOBS) --output-on-failure -E '^style/'

tsan: setup  ## the tests of the threaded rooms under TSan
	@$(CONFIGURE) tsan
	@$(BUILD) tsan -j $(JOBS) --target llmtool_tests
	@TSAN_OPTIONS=die_after_fork=0 setarch -R ctest --test-dir build-tsan -j $(JOBS) --output-on-failure \
	  -R '^(base|kernels|text|io|corpus|infer|train)$$'

soak: build  ## the long tests: fuzzing, kill storms (hours)
	@set -e; for script in tests/soak/*.sh; do echo "== $$script"; \
	  LLMTOOL=$(CURDIR)/build/llmtool SOURCE=$(CURDIR) BUILD=$(CURDIR)/build \
	  SCRATCH=$(CURDIR)/build/scratch/soak/$$(basename $$script .sh) bash $$script; done

install: build  ## install into PREFIX (/usr/local), with the notices
	@cmake --install build --strip --prefix $(PREFIX)

dist: build  ## dist/llmtool: one stripped file that needs libc only
	@cmake/dist.sh build/llmtool build/THIRD_PARTY dist
