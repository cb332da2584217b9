# Yoke's targets. CONTRIBUTING.md has a sentence for each; `make` alone lists them.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
FUZZTIME ?= 10s
SEEDS    ?= 200
PROGRAMS := yoke yoked

# The race detector needs a C compiler; the tests are the same without it.
RACE := $(shell command -v gcc >/dev/null && [ "$$($(GO) env CGO_ENABLED)" = 1 ] && echo -race)

export GOFLAGS += -buildvcs=false

.PHONY: help build demo test check check-root test-kernel bench bench-kernel sim fuzz generate lint

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## static programs in bin/
	@scripts/need-go
	@mkdir -p bin
	@for program in $(PROGRAMS); do \
		echo "bin/$$program"; \
		CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X github.com/yokelag/yoke/internal/version.stamped=$(VERSION)" \
			-o bin/$$program ./cmd/$$program; \
	done

demo: build ## a guided minute: two aggregates, a pulled cable, a killed daemon
	@[ "$$(id -u)" != 0 ] || grep -q " /sys/fs/bpf bpf " /proc/mounts || \
		{ echo "demo: mounting /sys/fs/bpf, where plane ebpf keeps what outlives the daemon"; mount -t bpf bpf /sys/fs/bpf; } || \
		echo "demo: /sys/fs/bpf cannot be mounted here, so the demo shows plane user"
	@bin/yoke demo

test: ## all that CI runs: check, check-root as root, test-kernel
	@scripts/test

# LACP is without goroutines (internal/rules), so its tests do without the race detector, which
# would take ten times as long.
check: ## formatting, vet, staticcheck, the tests that need no privileges, and what they cover of LACP
	@scripts/need-go
	@echo "check: formatting"; unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l); \
		[ -z "$$unformatted" ] || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	@echo "check: go vet"; $(GO) vet ./...
	@echo "check: staticcheck"; $(GO) tool staticcheck ./...
	@echo "check: tests without privileges"; export YOKE_UNPRIVILEGED=1; \
		$(GO) test $(RACE) -shuffle=on $$($(GO) list ./... | grep -vE "/yoke/lacp(/|$$)"); \
		scripts/covered lacp 95 -shuffle=on

check-root: ## the tests in network namespaces; needs root
	@[ "$$(id -u)" = 0 ] || { echo "check-root needs root: sudo make check-root"; exit 1; }
	@scripts/need-go
	@scripts/need "make check-root" ip:iproute2 tc:iproute2 ethtool:ethtool bpftool:bpftool unshare:util-linux dbus-daemon:dbus-daemon busybox:busybox-static tcpdump:tcpdump ovs-vsctl:openvswitch-switch
	@grep -q " /sys/fs/bpf bpf " /proc/mounts || { echo "check-root: mounting /sys/fs/bpf"; mount -t bpf bpf /sys/fs/bpf; }
	@$(GO) test -count=1 -p 1 -shuffle=on -timeout 20m $$(scripts/packages)

test-kernel: ## the tests that need another kernel, in a virtual machine (test/vm)
	@scripts/need-go
	@test/vm/test

bench: ## speed and failover beside the bare link, as root
	@scripts/need-go
	@bench/run

bench-kernel: ## instructions a frame beside the kernel's drivers, in a virtual machine that counts them
	@scripts/need-go
	@bench/kernel/run

# A run of the engine costs as much as ten of LACP, so it gets fewer of many seeds.
sim: ## the simulated worlds, SEEDS=200 seeds of LACP and of the engine, and the planted bugs
	@scripts/need-go
	@SIM_SEEDS=$(SEEDS) $(GO) test -count=1 -timeout 1h -v -run "^(TestSeeds|TestPlantedBugs)$$" ./sim/lag
	@SIM_SEEDS=$$(($(SEEDS) > 220 ? 200 + $(SEEDS) / 10 : $(SEEDS))) $(GO) test -count=1 -timeout 1h -run "^TestSeeds$$" ./sim

fuzz: ## every fuzz target for FUZZTIME=10s
	@scripts/need-go
	@scripts/fuzz $(FUZZTIME)

generate: ## BPF objects and generated pages anew (clang)
	@scripts/need-go
	@scripts/need "make generate" clang:clang llvm-strip:llvm
	@$(GO) generate ./...

lint: ## golangci-lint, the version in tools/go.mod
	@scripts/need-go
	@$(GO) tool -modfile=tools/go.mod golangci-lint run ./...
