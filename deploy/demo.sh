#!/bin/sh
# The life of one site against the real product: a push, a build, a published page, a small change, a rollback.
# `just demo` builds the executable and calls this. KEEP=1 leaves the folder it worked in.
# shellcheck disable=SC2034,SC2154 # The parts in demo/ read and set this file's variables.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
pagefold=${PAGEFOLD:-$(cd -- "$here/.." && pwd)/target/debug/pagefold}
for part in stage platform site; do
    # shellcheck source=/dev/null
    . "$here/demo/$part.sh"
done

# The hook would believe it more than the repository's own setting.
unset PAGEFOLD_URL

# PostgreSQL refuses to run as root, so for root it runs as another user, who has to be able to walk into this folder.
work=$(mktemp -d /var/tmp/pagefold-demo.XXXXXX)
chmod 0711 "$work"
data=$work/data
platform=
trap clean_up EXIT
trap 'exit 130' INT TERM

title "Pagefold: one site, from its first build to a rollback"

step "Start the platform: the log, the database, the site store and every service, below one folder"
start_platform
saw "ready after $(elapsed): dashboard $web, sites under $edge"

step "Make a git repository with a site of $pages pages, and a hook that tells of every push"
make_repository
tell_of_pushes
saw "$work/demo.git, $(git -C "$work/clone" ls-files | wc -l) files"

step "Create the site: its first build starts at once"
pushed=$(date +%s%3N)
api POST /sites "{\"name\":\"demo\",\"repository\":\"file://$work/demo.git\",\"branch\":\"main\",\"engine\":\"static\"}" >/dev/null
saw "it will be at $site"
follow_build

step "Open the published page"
wait_for "the page at $site" page_says "$first_words"
saw "$(heading_of_page) — served $(elapsed "$pushed") after the site was asked for"
wait_for "the first deploy in the dashboard" deploys_are 1
first_deploy=$(newest_deploy id)
saw "$(newest_deploy sentence)"

step "Change one page and push again"
change_a_page
push
follow_build "$(git -C "$work/clone" rev-parse HEAD)"
wait_for "the changed page" page_says "$second_words"
saw "$(heading_of_page) — served $(elapsed "$pushed") after the push"

step "Look at what was uploaded: only what changed"
wait_for "the second deploy in the dashboard" deploys_are 2
saw "$(newest_deploy sentence)"
[ "$(newest_deploy uploaded_files)" -lt "$(newest_deploy files)" ] || fail "the second deploy uploaded every file again"

step "Roll back: point the site at its first deploy"
api PUT /sites/demo/aliases/live "{\"deploy\":\"$first_deploy\"}" >/dev/null
wait_for "the first version of the page" page_says "$first_words"
saw "$(heading_of_page) — served $(elapsed) after the request, and nothing was built"

step "Read the log: every step above is a fact in it"
"$pagefold" events list --data "$data" | tac | shown

step "Stop the platform"
stop_platform || fail "the platform did not end cleanly"
saw "all of it ended within $(elapsed)"
ending
