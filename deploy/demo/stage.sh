# How the demo speaks, waits and leaves.
# shellcheck shell=sh
# shellcheck disable=SC2154 # Its variables are set by demo.sh.

patience_s=60
number=0
bold='' faint='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') faint=$(printf '\033[2m') plain=$(printf '\033[0m')
fi

title() {
    printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

step() {
    number=$((number + 1))
    printf '\n%s%2d  %s%s\n' "$bold" "$number" "$1" "$plain"
    start_clock
}

saw() {
    printf '    %s\n' "$1"
}

# What another program says, set apart from what the demo says.
shown() {
    while IFS= read -r line; do
        printf '    %s| %s%s\n' "$faint" "$line" "$plain"
    done
}

start_clock() {
    clock=$(date +%s%3N)
}

# elapsed [SINCE]: since the step began, unless told otherwise.
elapsed() {
    took_ms=$(($(date +%s%3N) - ${1:-$clock}))
    printf '%d.%d s' $((took_ms / 1000)) $((took_ms % 1000 / 100))
}

# wait_for WHAT CONDITION…: asks again until the condition holds, as long as there is a platform that could bring it
# about and the demo's patience lasts.
wait_for() {
    what=$1
    shift
    deadline=$(($(date +%s) + patience_s))
    until "$@"; do
        platform_runs || fail "the platform ended while the demo waited for $what"
        [ "$(date +%s)" -lt "$deadline" ] || fail "waited $patience_s seconds for $what"
        sleep 0.1
    done
}

fail() {
    printf '\ndemo: %s\n' "$1" >&2
    if [ -s "$work/platform.log" ]; then
        printf 'demo: the last lines of the platform:\n' >&2
        tail -n 30 "$work/platform.log" | shown >&2
    fi
    exit 1
}

clean_up() {
    status=$?
    trap - EXIT INT TERM
    stop_platform || true
    if [ "${KEEP:-0}" = 1 ]; then
        printf '\nKept: %s\n' "$work"
    else
        rm -rf "$work"
    fi
    exit "$status"
}

ending() {
    if [ "${KEEP:-0}" = 1 ]; then
        title "Look around: $pagefold up --data $data"
    else
        title "The dashboard of this run was at $web/ and ended with it. \`just up\` leaves a platform running, dashboard at http://127.0.0.1:8080/"
    fi
}
