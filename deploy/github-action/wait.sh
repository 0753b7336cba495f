#!/bin/sh
# Waits until Pagefold has built a commit, and keeps one comment in its pull request that says where it is shown.
# Tokens go to curl by its standard input: every user of a machine can read the command line of a program.
# Ends with 0 if the build succeeded, 3 if it ended otherwise, 4 if it did not end in time, 1 if it could not be asked about.
set -eu

interval=${PAGEFOLD_INTERVAL_S:-5}

# ask TOKEN METHOD URL [BODY]: what the answer says.
ask() {
    token=$1 method=$2 address=$3
    shift 3
    printf 'header = "Authorization: Bearer %s"\n' "$token" | curl --silent --show-error --fail-with-body --max-time 60 \
        --config - --header 'Content-Type: application/json' --header 'Accept: application/json' \
        --request "$method" ${1+--data "$1"} "$address"
}

pagefold() {
    ask "$PAGEFOLD_TOKEN" GET "${PAGEFOLD_WEB_URL%/}/api/v1/sites/$PAGEFOLD_SITE/$1"
}

# The newest build of the commit; nothing if there is none yet.
build() {
    pagefold 'builds?limit=100' | jq --compact-output --arg commit "$PAGEFOLD_COMMIT" \
        '[.items[] | select(.commit == $commit)] | max_by(.number) // empty'
}

# tell NAME VALUE: for later steps of a workflow.
tell() {
    [ -z "${GITHUB_OUTPUT:-}" ] || printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# comment TEXT: in the place of what was said in this pull request before.
comment() {
    [ -n "${PAGEFOLD_PULL_REQUEST:-}" ] || return 0
    mark="<!-- pagefold $PAGEFOLD_SITE -->"
    comments=${GITHUB_API_URL:-https://api.github.com}/repos/$GITHUB_REPOSITORY/issues
    body=$(printf '%s\n%s' "$mark" "$1" | jq --raw-input --slurp '{ body: . }')
    page=1 known=
    while [ -z "$known" ]; do
        listed=$(ask "$GITHUB_TOKEN" GET "$comments/$PAGEFOLD_PULL_REQUEST/comments?per_page=100&page=$page")
        known=$(printf '%s' "$listed" | jq --arg mark "$mark" '[.[] | select(.body | startswith($mark))][0].id // empty')
        [ "$(printf '%s' "$listed" | jq length)" -eq 100 ] || break
        page=$((page + 1))
    done
    if [ -n "$known" ]; then
        ask "$GITHUB_TOKEN" PATCH "$comments/comments/$known" "$body" >/dev/null
    else
        ask "$GITHUB_TOKEN" POST "$comments/$PAGEFOLD_PULL_REQUEST/comments" "$body" >/dev/null
    fi
}

until=$(($(date +%s) + ${PAGEFOLD_TIMEOUT_S:-1800}))
while :; do
    found=$(build)
    # What is built is not shown yet: it counts when it is.
    case $(printf '%s' "$found" | jq --raw-output .state) in
    '' | queued | dispatched | started) ;;
    *) break ;;
    esac
    if [ "$(date +%s)" -ge "$until" ]; then
        echo "the build of $PAGEFOLD_COMMIT did not end in time" >&2
        exit 4
    fi
    sleep "$interval"
done

state=$(printf '%s' "$found" | jq --raw-output .state)
number=$(printf '%s' "$found" | jq --raw-output .number)
id=$(printf '%s' "$found" | jq --raw-output .id)
page="[build $number](${PAGEFOLD_WEB_URL%/}/builds/$id)"
tell state "$state"
if [ "$state" = success ]; then
    deploy=$(printf '%s' "$found" | jq --raw-output .deploy)
    preview=$(ask "$PAGEFOLD_TOKEN" GET "${PAGEFOLD_WEB_URL%/}/api/v1/deploys/$deploy" | jq --raw-output .url)
    tell preview "$preview"
    echo "build $number is shown at $preview"
    comment "**Preview of $PAGEFOLD_COMMIT**: $preview ($page)"
else
    reason=$(printf '%s' "$found" | jq --raw-output '.reason // ""')
    tell preview ''
    echo "build $number ended as $state: $reason" >&2
    comment "**$PAGEFOLD_COMMIT was not built** ($page): $state. $reason"
    exit 3
fi
