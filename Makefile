# invbench: `make help` lists the targets.
#
# One build directory per variant: build/release (default), build/asan (tests),
# build/clang, build/double (the engine alone, in double, for checks by finite
# differences). CC, VARIANT and BUILD may be given on the command line.

# As many jobs as processors, unless -j says otherwise.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

CC      ?= gcc
VARIANT ?= release
BUILD   ?= build/$(VARIANT)
SUITE   ?= suites/quick.json
OUT     ?= runs/quick
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1.0)

WARN   := -Wall -Wextra -Wconversion -Wshadow -Wno-missing-field-initializers
# Numbers must not depend on the compiler: no contraction, no fast-math; fused
# operations only where the source says fma.
NUM    := -march=x86-64-v3 -ffp-contract=off -fno-math-errno \
          -fno-trapping-math
OPT_release := -O2 -ftree-vectorize -fvect-cost-model=dynamic
OPT_clang   := -O2
OPT_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
               -fno-sanitize-recover=undefined
OPT_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
               -fno-sanitize-recover=undefined -Wno-pass-failed
OPT_double  := $(OPT_asan) -DIB_DOUBLE
CFLAGS ?=
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(WARN) $(NUM) $(OPT_$(VARIANT)) -fPIC \
             -Iinclude $(CFLAGS)
LIBS   := -lopenblas -lpng -lz -lnettle -lcjson -lseccomp -lm -ldl -lpthread

# SKIP: sources to leave out while they do not compile.
SOURCES := $(filter-out $(SKIP), $(wildcard core/nn/*.c core/harness/*.c \
           attacks/*.c attacks/parts/*.c defenses/*.c models/*.c metrics/*.c \
           datasets/*.c datasets/parts/*.c priors/*.c priors/parts/*.c))
SCHEMAS := $(wildcard results/*.schema.json)
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/gen/code_hash.o \
           $(BUILD)/gen/schemas.o
LIBRARY_OBJECTS := $(filter-out $(BUILD)/core/harness/main.o, $(OBJECTS))
TESTS   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
BENCHES := $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))
PROGRAM := $(BUILD)/invbench
ifeq ($(VARIANT),double)
OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard core/nn/*.c))
LIBRARY_OBJECTS := $(OBJECTS)
TESTS   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/double/*.c))
endif

.PHONY: help all quick test unit setup lint format docs docs-check bench \
        coverage gate install clean run-tests double-tests fuzz reference
help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

all: invbench ## build ./invbench (release)
invbench: $(PROGRAM)
	@ln -sf $(PROGRAM) invbench

quick: setup ## install what is missing, build, run the quick suite
	@$(MAKE) --no-print-directory all
	./invbench run $(SUITE) --out $(OUT)

test: setup ## install what is missing, then every test, with ASan and UBSan
	@$(MAKE) --no-print-directory all lint docs-check
	@$(MAKE) --no-print-directory VARIANT=asan run-tests

setup:
	@tools/setup.sh

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# The SHA-256 of every plugin's source and of what it includes, by the rule in
# tools/codehash.sh: an edited attack never meets a stale result.
$(BUILD)/gen/code_hash.c: tools/codehash.sh $(SOURCES) \
                          $(wildcard include/invbench/*.h \
                          include/invbench/parts/*.h core/*/*.h)
	@mkdir -p $(@D)
	@tools/codehash.sh > $@.tmp && mv $@.tmp $@
$(BUILD)/gen/code_hash.o: $(BUILD)/gen/code_hash.c
	@$(CC) $(ALL_CFLAGS) -c $< -o $@
# The schemas of results and entries, for `invbench validate`.
$(BUILD)/gen/schemas.c: tools/embed.sh $(SCHEMAS)
	@mkdir -p $(@D)
	@tools/embed.sh $(SCHEMAS) > $@.tmp && mv $@.tmp $@
$(BUILD)/gen/schemas.o: $(BUILD)/gen/schemas.c
	@$(CC) $(ALL_CFLAGS) -c $< -o $@
$(BUILD)/core/harness/main.o: ALL_CFLAGS += -DIB_VERSION='"$(VERSION)"'

$(BUILD)/gen/exports.list: tools/exports.sh $(wildcard include/invbench/*.h \
                           include/invbench/parts/*.h)
	@mkdir -p $(@D)
	@tools/exports.sh > $@
$(PROGRAM): $(OBJECTS) $(BUILD)/gen/exports.list
	$(CC) $(ALL_CFLAGS) $(OBJECTS) -o $@ \
	    -Wl,--dynamic-list=$(BUILD)/gen/exports.list $(LIBS)

$(BUILD)/libinvbench.a: $(LIBRARY_OBJECTS)
	@rm -f $@
	@ar rcs $@ $(LIBRARY_OBJECTS)
# Tests may include core/harness headers; they link everything but main.
$(BUILD)/tests/%: tests/%.c $(BUILD)/libinvbench.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icore/harness -Icore/nn -Itests -MMD -MP $< \
	    -o $@ $(BUILD)/libinvbench.a -lcmocka $(LIBS)

# libFuzzer targets: tests/fuzz/run.sh builds them with VARIANT=fuzz CC=clang.
$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(BUILD)/libinvbench.a
	$(CC) $(ALL_CFLAGS) -Icore/harness -Icore/nn -Itests -fsanitize=fuzzer $< \
	    -o $@ $(BUILD)/libinvbench.a $(LIBS)
fuzz: all ## fuzz model files for FUZZ_SECONDS (60); needs clang
	@tests/fuzz/run.sh

# Benchmarks are built with the tests, so that they do not rot.
$(BUILD)/bench/%: bench/%.c $(BUILD)/libinvbench.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icore/harness -Icore/nn -MMD -MP $< -o $@ \
	    $(BUILD)/libinvbench.a $(LIBS)

run-tests: $(PROGRAM) $(TESTS) $(BENCHES)
	@$(MAKE) --no-print-directory VARIANT=double BUILD=$(BUILD)/double \
	    double-tests
	@tests/run.sh $(BUILD)
double-tests: $(TESTS)

lint: ## include direction, budgets, format, shell scripts
	@tools/lint.sh
format: ## clang-format everything
	@git ls-files '*.c' '*.h' | xargs clang-format -i
docs: all ## write docs/ and man page from the tables
	@tools/docs.sh write
docs-check: all
	@tools/docs.sh check
bench: all $(BENCHES) ## measure; against PyTorch, where it is installed (bench/run.sh)
	@bench/run.sh
$(BUILD)/bench/%: bench/%.c $(BUILD)/libinvbench.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Icore/harness -Icore/nn -MMD -MP $< -o $@ \
	    $(BUILD)/libinvbench.a $(LIBS)
coverage: $(BUILD)/bench/coverage ## simulate the intervals (slow)
	$<
gate: all $(BUILD)/bench/gate ## false alarms and catches of the CI gate (slow)
	@bench/gate.sh

reference: all ## run the standard suites and write their entries to results/
	@tools/reference.sh

PREFIX ?= /usr/local
install: all ## program, headers, suites, man page, completions
	@tools/install.sh $(DESTDIR)$(PREFIX) $(PROGRAM)
clean: ## remove what was built
	rm -rf build invbench

-include $(OBJECTS:.o=.d) $(TESTS:=.d) $(BENCHES:=.d)
