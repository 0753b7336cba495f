# The one door for people who have the tools. Without them: sh deploy/bootstrap.sh RECIPE

# The programs that deploy/bootstrap.sh installed come first, then whatever the machine has.
export PATH := justfile_directory() / ".tools/venv/bin" + ":" + justfile_directory() / ".tools/cargo/bin" + ":" + env("PATH")
export PAGEFOLD := env("CARGO_TARGET_DIR", justfile_directory() / "target") / "debug/pagefold"

set positional-arguments

[private]
default:
    @just --list --unsorted

# Install what the recipes need and this machine lacks
[group('start')]
setup:
    @sh deploy/bootstrap.sh tools

# Run the whole platform here until Ctrl-C, its data below .pagefold/
[group('start')]
up *ARGS: build
    @exec "$PAGEFOLD" up "$@"

# Show one site's life: push, build, publish, change, roll back
[group('start')]
demo: build
    @sh deploy/demo.sh

# Format every file
[group('work')]
fmt:
    cargo fmt --all

# Check the format and the lints
[group('work')]
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Judge the licences and sources of all that is built in
[group('work')]
deny:
    cargo deny --log-level error check licenses bans sources

# Check, then run every test
[group('work')]
test: check deny older build
    cargo test --workspace

# Keep the user's guide in FOLDER, with the pictures that its test takes
[group('work')]
guide FOLDER: build
    @PAGEFOLD_GUIDE="$1" cargo test -q -p journeys --test journeys guide::

# Kill every part at every fact of a push's story; ARGS choose cases by a part of their name
[group('work')]
kill *ARGS: build
    @cargo run -q -p journeys --bin kill -- "$@"

# Measure everything but what takes long, or the groups and rows in ARGS; `growth` takes long
[group('work')]
bench *ARGS:
    @cargo build -q --release -p pagefold -p journeys --bin pagefold --bench bench
    @env -u PAGEFOLD cargo bench -q -p pagefold -p journeys --bench bench -- "$@"

# Write the schemas anew from the code
[group('work')]
schemas:
    UPDATE_SCHEMAS=1 cargo test -q -p events --test schemas
    UPDATE_SCHEMAS=1 cargo test -q -p web --test openapi

# Read the code's documentation
[group('work')]
docs:
    cargo doc --workspace --no-deps --document-private-items

# Build the image that sites are built in, unless it is there
[group('work')]
build-image:
    @sh deploy/image/build.sh

# Do what CI does, on a machine that lacks everything
[group('work')]
ci:
    @.ci/run

# Build an older version, which does not know some types of facts, for the story of an upgrade
[group('work')]
older:
    @cargo build -p pagefold --features older
    @cp --remove-destination "$PAGEFOLD" "$PAGEFOLD-older"

[private]
build:
    @cargo build -p pagefold
