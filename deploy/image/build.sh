#!/bin/sh
# Builds the image in which sites are built, from Debian's packages alone: no container registry is asked for anything.
# Does nothing when the image was already built from this recipe. Needs root (or sudo), debootstrap and an engine.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
tools=$here/../../.tools
suite=bookworm
base=pagefold-base:$suite
image=pagefold-build:$suite
log=$tools/image.log

# shellcheck source=/dev/null
. "$here/../bootstrap/say.sh"

main() {
    trust=${SSL_CERT_FILE:-}
    recipe=$(cat "$here/Dockerfile" "$here/build.sh" ${trust:+"$trust"} | sha256sum | cut -d' ' -f1)
    [ "$(label_of "$image" dev.pagefold.recipe)" != "$recipe" ] || return 0
    mkdir -p "$tools"
    : >"$log"
    scratch=$(mktemp -d /var/tmp/pagefold-image.XXXXXX)
    # The root below it belongs to root, and so does its removal.
    trap 'as_root rm -rf "$scratch"' EXIT
    trap 'exit 130' INT TERM

    root_tar=$tools/root-$suite-$(dpkg --print-architecture).tar
    [ -s "$root_tar" ] || make_root
    say "building the image $image (a few minutes; log: .tools/image.log)"
    import_root
    build_image || die "the engine could not build $image"
    docker run --rm --network=none --user=12345:12345 --env=HOME=/tmp "$image" \
        sh -c 'node --version && npm --version && hugo version && jekyll --version && git --version' >>"$log" 2>&1 ||
        die "$image was built, but its programs do not run; see .tools/image.log"
}

# label_of IMAGE LABEL
label_of() {
    docker image inspect --format "{{index .Config.Labels \"$2\"}}" "$1" 2>/dev/null || true
}

# The tree that an image starts from, kept as one file so that a second build skips this step.
make_root() {
    say "making a minimal Debian $suite (about half a minute)"
    mirror=$(mirrors | grep -m 1 '/debian$' || true)
    quietly as_root debootstrap --variant=minbase --include=ca-certificates "$suite" "$scratch/root" ${mirror:+"$mirror"} ||
        die "debootstrap failed; see .tools/image.log"
    as_root tar --numeric-owner --exclude='./var/cache/apt/*.bin' --exclude='./var/cache/apt/archives/*.deb' \
        --exclude='./var/lib/apt/lists/*' --exclude='./dev/*' -C "$scratch/root" -c . >"$root_tar.part"
    mv "$root_tar.part" "$root_tar"
    as_root rm -rf "$scratch/root"
}

# Every import makes a new image, which no layer that was built before would fit. So it happens once for each tree.
import_root() {
    digest=$(sha256sum <"$root_tar" | cut -d' ' -f1)
    [ "$(label_of "$base" dev.pagefold.root)" != "$digest" ] || return 0
    quietly docker import --change "LABEL dev.pagefold.root=$digest" "$root_tar" "$base" ||
        die "the engine could not import $root_tar"
}

# The classic builder is asked for by name: the newer one is a plug-in that Debian does not install with the engine.
build_image() {
    mkdir -p "$scratch/context/trust"
    cp "$here/Dockerfile" "$scratch/context/"
    [ -z "$trust" ] || cp "$trust" "$scratch/context/trust/ca-certificates.crt"
    set -- --build-arg "SECURITY_MIRROR=$(mirrors | grep -m 1 -e '-security$' || true)"
    # Named without a value, docker takes it from the environment and leaves it out of the image.
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        ! printenv "$name" >/dev/null || set -- "$@" --build-arg "$name"
    done
    DOCKER_BUILDKIT=0 quietly docker build "$@" --label "dev.pagefold.recipe=$recipe" --tag "$image" "$scratch/context"
}

# The Debian mirrors this machine uses, one a line, from both of apt's formats. Debian's archives have a component
# `main`; other vendors' archives for Debian, which may end in the same words, do not.
mirrors() {
    {
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
            sed -n 's/^deb  *\(\[[^]]*\]  *\)\{0,1\}\(https\{0,1\}:[^ ]*\) .* main\( .*\)\{0,1\}$/\2/p'
        for file in /etc/apt/sources.list.d/*.sources; do
            [ ! -e "$file" ] || awk '
                BEGIN { RS = ""; FS = "\n" }
                /(^|\n)Components:[^\n]* main/ && !/(^|\n)Enabled: *no/ {
                    for (i = 1; i <= NF; i++)
                        if ($i ~ /^URIs:/) { split($i, uri, /[ \t]+/); print uri[2] }
                }' "$file"
        done
    } | grep '^http' | sed 's#/*$##'
}

main "$@"
