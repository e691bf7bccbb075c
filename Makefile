# The front door: every target is one or two plain commands, listed by `make help`.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
PRESET = cmake --preset
BUILD = cmake --build --preset
export JOBS

.PHONY: help setup build

help:  ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

setup:  ## install what the build and the tests need (Debian packages, static libraries)
	@cmake/setup.sh all

build:  ## build/llmtool, optimised
	@cmake/setup.sh build
	@$(PRESET) release
	@$(BUILD) release -j $(JOBS)
