# make help lists the targets.

MAKEFLAGS += --no-builtin-rules --no-print-directory
BIN := node_modules/.bin
NODE := node
# So that no tool asks the network for news.
export npm_config_update_notifier := false

.PHONY: test-quickjs test-net-quickjs test-sanitized dist test-dist test-memory test-archs test-trixie soak help deps build native types lint formatted check format test mutants bench demo clean

help:
	@echo 'make build      build/binder, which runs in place'
	@echo 'make native     the QuickJS executable of this machine: build/qjs/binder'
	@echo 'make test       as root: installs what is missing, checks, builds, runs every test'
	@echo 'make test FILES=test/plan/*.test.ts      builds, runs only these'
	@echo 'make test FILES=test/plan/*.test.ts ONLY="name of a test"      only that one'
	@echo 'make test-quickjs      what needs no Node, on QuickJS (FILES, ONLY)'
	@echo 'make test-net-quickjs as root: the scenarios in the emulated network with the QuickJS executable as home and relay'
	@echo 'make test-sanitized    the same, with what finds wrong memory and undefined behaviour in the C'
	@echo 'make dist       static executables for routers, into build/dist/ (ARCHS="mips arm" builds some)'
	@echo 'make test-dist  builds them twice, and compares'
	@echo 'make test-archs emulates each architecture: commands, host, parsers and codecs (ARCHS)'
	@echo 'make check      types, lint, format: quick, for developers'
	@echo 'make format     formats every file'
	@echo 'make mutants    as root: breaks Binder in small ways; a named test must notice each (ONLY=name runs one)'
	@echo 'make test-trixie  as root: the main scenario in a bare Debian 13, with OpenVPN 2.7 from its backports'
	@echo 'make ipk        packages for OpenWrt 24.10, of what is in build/dist, into build/packages/ipk'
	@echo 'make apk        as root: the same for OpenWrt 25.12, where apk-tools 3 are'
	@echo 'make feed       a feed of the packages for the OpenWrt SDK, in build/feed'
	@echo 'make bench      as root: the evaluation, into bench/'
	@echo 'make test-memory as root: what Binder takes of a router'\''s memory (MINUTES)'
	@echo 'make soak       as root: twenty minutes of random faults (SEED=number repeats one, SECONDS=number)'
	@echo 'make demo       as root: a download over four gateways, in an emulated network'
	@echo 'make clean      removes build/'

deps:
	@scripts/install-deps

# npm ci where packages are absent or older than the lockfile.
node_modules/.package-lock.json: package-lock.json
	@scripts/install-packages

build: node_modules/.package-lock.json
	@$(NODE) scripts/build.mjs node

native: node_modules/.package-lock.json
	@scripts/build-native

types: node_modules/.package-lock.json
	@$(BIN)/tsc -p src/tsconfig.json
	@$(BIN)/tsc -p tsconfig.json

lint: node_modules/.package-lock.json
	@$(BIN)/eslint --max-warnings 0 .

formatted: node_modules/.package-lock.json
	@$(BIN)/biome format src test bench scripts $(wildcard *.js *.json)

check: types lint formatted

format: node_modules/.package-lock.json
	@$(BIN)/biome format --write src test bench scripts $(wildcard *.js *.json)

ifdef FILES
test: build
	@$(if $(ONLY),TEST_ONLY="$(ONLY)") $(NODE) scripts/test.mjs $(FILES)
else
test: deps
	@scripts/test-all
endif

# What needs no Node, on QuickJS alone.
test-quickjs: build native
	@ENGINES=quickjs $(if $(ONLY),TEST_ONLY="$(ONLY)") $(NODE) scripts/test.mjs $(FILES)

# As home and relay.
test-net-quickjs: build native
	@BINDER=$(CURDIR)/build/qjs/binder $(if $(ONLY),TEST_ONLY="$(ONLY)") $(NODE) scripts/test.mjs $(or $(FILES),$(wildcard test/net/*.test.ts))

# The same with what finds wrong memory, undefined behaviour and leaks in C.
test-sanitized: node_modules/.package-lock.json
	@scripts/build-native sanitized
	@ENGINES=quickjs QUICKJS=build/qjs/sanitized/binder-run TEST_LIMIT=900 $(NODE) scripts/test.mjs $(FILES)

dist: node_modules/.package-lock.json
	@scripts/dist

# A second build, elsewhere and from nothing, must be the same bytes.
test-dist: dist
	@rm -rf build/dist-again
	@OUT=build/dist-again CACHE=build/dist-again/cache scripts/dist
	@for file in build/dist-again/binder-*; do cmp $$file build/dist/$${file##*/} || exit 1; done
	@echo 'both builds are the same bytes'

test-archs: build
	@scripts/test-archs

mutants: build
	@$(NODE) scripts/mutants.mjs $(ONLY)

.PHONY: ipk apk feed
ipk apk:
	@$(NODE) scripts/package.mjs $@

feed: node_modules/.package-lock.json
	@$(NODE) scripts/openwrt/feed.mjs

test-trixie:
	@scripts/in-debian trixie scripts/with-backports make test FILES=test/net/aggregate.serial.test.ts

bench: build
	@$(NODE) scripts/run.mjs bench/bench.ts $(ARGS)

test-memory: build dist
	@$(if $(MINUTES),MINUTES=$(MINUTES)) $(NODE) scripts/run.mjs test/memory/run.ts

soak: build
	@$(if $(SEED),SEED=$(SEED)) $(if $(SECONDS),SECONDS=$(SECONDS)) $(NODE) scripts/run.mjs test/soak/run.ts

demo: deps build
	@$(NODE) scripts/run.mjs test/testbed/demo.ts $(ARGS)

clean:
	rm -rf build .tap
