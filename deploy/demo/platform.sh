# The platform's process and its HTTP API.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # Variables go to and fro between this and demo.sh.

# Port 0 lets the kernel choose, so that the demo never meets a platform that runs already.
start_platform() {
    "$pagefold" up --data "$data" --web 127.0.0.1:0 --edge 127.0.0.1:0 --s3 127.0.0.1:0 \
        --local-repositories "$work" >"$work/platform.log" 2>&1 </dev/null &
    platform=$!
    wait_for "the platform to be ready" test -s "$data/ready.json"
    web=$(json 'it["web"]' <"$data/ready.json")
    edge=$(json 'it["edge"]' <"$data/ready.json")
    edge_port=${edge##*:}
    edge_port=${edge_port%/}
    host=demo.$(json 'it["sites_domain"].split(":")[0]' <"$data/ready.json")
    site=http://$host:$edge_port/
    keep_secrets
}

# Secrets go into files only this user can read: on a command line everyone on the machine could.
keep_secrets() (
    umask 077
    json '"Authorization: Bearer " + it["token"]' <"$data/ready.json" >"$work/authorization"
    json 'it["github_webhook_secret"]' <"$data/ready.json" >"$work/webhook-secret"
)

platform_runs() {
    [ -n "$platform" ] && kill -0 "$platform" 2>/dev/null
}

# Its status is the platform's own.
stop_platform() {
    [ -n "$platform" ] || return 0
    kill "$platform" 2>/dev/null || true
    deadline=$(($(date +%s) + patience_s))
    while platform_runs; do
        [ "$(date +%s)" -lt "$deadline" ] || kill -KILL "$platform"
        sleep 0.1
    done
    ended=$platform
    platform=
    wait "$ended"
}

# json EXPRESSION: a Python expression over `it`, the JSON on standard input.
json() {
    python3 -c 'import json, sys
it = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$1"
}

# api METHOD PATH [BODY]: the answer, or the end of the demo with what the platform said.
api() {
    ask "$@" || fail "$1 $2 was answered with ${code:-nothing}: $answer"
    printf '%s\n' "$answer"
}

# The same for a caller that waits: it fails, and the caller asks again.
ask() {
    answer=$(curl --silent --max-time 20 --header "@$work/authorization" --header 'Content-Type: application/json' \
        --write-out '\n%{http_code}' --request "$1" ${3:+--data "$3"} "$web/api/v1$2") || true
    code=$(printf '%s' "$answer" | tail -n 1)
    answer=$(printf '%s' "$answer" | sed '$d')
    case $code in 2??) ;; *) return 1 ;; esac
}

# follow_build [COMMIT]: shows the log of the commit's build, or of the newest one, while it runs, and insists on its success.
follow_build() {
    wait_for "a build" build_of "${1:-}"
    saw "build $(json 'it["number"]' <"$work/build")${1:+ of $(short "$1")}, its log as it is written:"
    id=$(json 'it["id"]' <"$work/build")
    curl --silent --no-buffer --max-time "$patience_s" --header "@$work/authorization" --header "Accept: text/plain" \
        "$web/api/v1/builds/$id/log?follow=1" | shown
    wait_for "the end of the build" build_ended "${1:-}"
    state=$(json 'it["state"]' <"$work/build")
    case $state in
        success) saw "build ended: $state, $(elapsed "$pushed") after it was asked for" ;;
        *) fail "the build ended as $state" ;;
    esac
}

# build_of [COMMIT]
build_of() {
    ask GET /sites/demo/builds || return 1
    printf '%s' "$answer" |
        json "json.dumps(next((b for b in it['items'] if '$1' in ('', b['commit'])), None))" >"$work/build"
    ! grep -qx null "$work/build"
}

build_ended() {
    build_of "$1" && json 'it["state"]' <"$work/build" | grep -qvE '^(queued|dispatched|started)$'
}

deploys_are() {
    ask GET /sites/demo/deploys || return 1
    printf '%s' "$answer" >"$work/deploys"
    [ "$(json 'len(it["items"])' <"$work/deploys")" -ge "$1" ]
}

# newest_deploy FIELD|sentence
newest_deploy() {
    if [ "$1" = sentence ]; then
        json '"deploy {number}: {files} files, {bytes} bytes; uploaded {uploaded_files} of them, {uploaded_bytes} bytes".format(**it["items"][0])' <"$work/deploys"
    else
        json "it['items'][0]['$1']" <"$work/deploys"
    fi
}

short() {
    printf '%.7s' "$1"
}
