# Words for the person who waits, and what to do when something fails.
# shellcheck shell=sh
# shellcheck disable=SC2154 # `log` is set by bootstrap.sh.

say() {
    printf 'bootstrap: %s\n' "$*"
}

# 69 is EX_UNAVAILABLE of sysexits: something this needs is not there.
die() {
    printf 'bootstrap: %s\n' "$@" >&2
    exit 69
}

# quietly COMMAND…: its output goes to the log, and its end to the terminal if it fails. The lock of bootstrap.sh, 9, stays
# behind: a package may start a server that would hold it for as long as it runs.
quietly() {
    printf '\n$ %s\n' "$*" >>"$log"
    "$@" >>"$log" 2>&1 </dev/null 9>&- && return
    tail -n 20 "$log" >&2
    return 1
}

# Proxy settings are handed on by name, because a value on a command line could be read by everyone on the machine.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -n "${http_proxy:-}${https_proxy:-}" ]; then
        sudo --preserve-env=http_proxy,https_proxy,no_proxy "$@"
    else
        sudo "$@"
    fi
}

can_be_root() {
    [ "$(id -u)" -eq 0 ] || has sudo
}

has() {
    command -v "$1" >/dev/null 2>&1
}
