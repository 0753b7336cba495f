# What has to come from Debian: one line for each command, the package that brings it, and why it is needed.
# shellcheck shell=sh

# Everything `pagefold up` starts or calls.
to_run() {
    want git git
    want ssh openssh-client # private repositories
    want curl curl
    want openssl openssl
    want bwrap bubblewrap
    want perl perl-base # the way of builds to the network
    want cc gcc libc6-dev # cargo links with it
    want python3 python3 python3-venv
    [ -s /etc/ssl/certs/ca-certificates.crt ] || add ca-certificates
    has_postgres || add postgresql
    has_fresh_tools || has_venv || add python3-venv
}

# A container engine, what its image is made from, a server of SSH, the generators that the tests build sites with, an S3 client, and a browser.
to_test() {
    want dockerd docker.io
    want iptables iptables
    want debootstrap debootstrap
    want node nodejs
    want npm npm
    want hugo hugo
    want jekyll jekyll
    want bundle bundler
    want jq jq # the GitHub Action's script, as on GitHub's machines
    want /usr/sbin/sshd openssh-server # a host of private repositories
    want rclone rclone
    want pebble pebble # an authority that issues certificates
    want chromium chromium
    want chromedriver chromium-driver
    # A shell has a kill of its own, so only running it tells whether the program is there.
    env kill -l >/dev/null 2>&1 || add procps
    # Debian 12 ships the client inside docker.io, Debian 13 beside it, which shows only once docker.io is there.
    ! has dockerd || want docker docker-cli
    # An engine on a kernel with AppArmor starts no container without its parser.
    ! grep -qs Y /sys/module/apparmor/parameters/enabled || want apparmor_parser apparmor
}

# What benchmarks hold Pagefold against, and what plays the readers.
to_bench() {
    want rclone rclone
    want nginx nginx-light
    want wrk wrk
}

want() {
    has "$1" && return
    shift
    add "$@"
}

add() {
    for package in "$@"; do
        case " $missing " in *" $package "*) ;; *) missing="${missing:+$missing }$package" ;; esac
    done
}

# Debian keeps the server's programs off the PATH, in one folder per version.
has_postgres() {
    has initdb && return
    for initdb in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$initdb" ] && return
    done
    return 1
}

# install_packages LIST…: installs what the lists want and this machine lacks. Twice at most, as one package may
# show the need of another.
install_packages() {
    for round in first second last; do
        missing=
        for list in "$@"; do "$list"; done
        [ -n "$missing" ] || return 0
        [ $round != last ] || die "these packages were installed, but what they should bring is not there: $missing"
        apt_install "$round"
    done
}

apt_install() {
    command="apt-get update && apt-get install -y --no-install-recommends $missing"
    has apt-get || die "this needs what Debian calls: $missing" "please install it by the means of this system, then try again"
    can_be_root || die "missing: $missing" "please run as root: $command"
    say "installing $(printf '%s' "$missing" | sed 's/ /, /g')"
    no_main_cluster
    no_servers
    [ "$1" != first ] || quietly as_root apt-get update || die "apt-get could not refresh its lists; please run as root: $command"
    installed=yes
    # shellcheck disable=SC2086 # `missing` is a list of words.
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing || installed=no
    as_root rm -f "$no_cluster" ${not_started:+"$not_started"}
    [ $installed = yes ] || die "apt-get could not install: $missing" "please run as root: $command"
}

# Debian creates and starts a database cluster when it installs PostgreSQL. Nobody asked for one: Pagefold runs its
# own. The setting is taken away again, so that a PostgreSQL installed later behaves as its administrator expects.
no_cluster=/etc/postgresql-common/createcluster.d/pagefold.conf
no_main_cluster() {
    case " $missing " in *" postgresql "*) ;; *) return 0 ;; esac
    as_root mkdir -p "${no_cluster%/*}"
    echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
}

# Debian starts nginx and sshd when it installs them, on ports 80 and 22. Nobody asked for that either.
not_started=
no_servers() {
    case " $missing " in *" nginx-light "* | *" openssh-server "*) ;; *) return 0 ;; esac
    [ ! -e /usr/sbin/policy-rc.d ] || return 0
    not_started=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$not_started" >/dev/null
    as_root chmod 755 "$not_started"
}

# require_cargo [COMPONENT…]: the Rust toolchain is the one thing this leaves to its user, who may want another way
# of getting it.
require_cargo() {
    has cargo || die "cargo is missing: install the Rust toolchain as https://rustup.rs says, then try again"
    for component in "$@"; do
        cargo "$component" --version >/dev/null 2>&1 ||
            die "cargo $component is missing: rustup component add rustfmt clippy"
    done
}
