# The site of the demo, its repository, and its page as a reader gets it.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # Variables go to and fro between this and demo.sh.

pages=40
first_words='A small almanac'
second_words='A small almanac, second edition'

# The user's own git settings, signing above all, stay out of the demo.
quiet_git() {
    GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$work/clone" \
        -c user.name=Demo -c user.email=demo@localhost "$@"
}

make_repository() {
    git init --quiet --bare --initial-branch=main "$work/demo.git"
    git init --quiet --initial-branch=main "$work/clone"
    quiet_git remote add origin "$work/demo.git"
    write_site
    quiet_git add --all
    quiet_git commit --quiet --message "A small almanac"
    quiet_git push origin main >"$work/push" 2>&1 || fail "git push failed: $(cat "$work/push")"
}

# A hosting service would send a webhook; here a hook of the repository does.
tell_of_pushes() {
    cp "$here/hooks/post-receive" "$work/demo.git/hooks/post-receive"
    chmod +x "$work/demo.git/hooks/post-receive"
    git -C "$work/demo.git" config pagefold.url "$web"
    git -C "$work/demo.git" config pagefold.secretFile "$work/webhook-secret"
    git -C "$work/demo.git" config pagefold.cloneUrl "file://$work/demo.git"
}

write_site() {
    printf 'body { max-width: 40rem; margin: 4rem auto; font: 1.1rem/1.6 serif; }\n' >"$work/clone/style.css"
    write_page index "$first_words" "One page for every day that was worth a note."
    day=1
    while [ "$day" -lt "$pages" ]; do
        write_page "day-$day" "Day $day" "The tide came in, stayed a while, and left on day $day of the year."
        day=$((day + 1))
    done
}

# write_page NAME HEADING TEXT
write_page() {
    cat >"$work/clone/$1.html" <<PAGE
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>$2</title>
<link rel="stylesheet" href="/style.css">
<h1>$2</h1>
<p>$3</p>
</html>
PAGE
}

change_a_page() {
    write_page index "$second_words" "One page for every day that was worth a note, and this one has changed."
    quiet_git commit --quiet --all --message "Second edition"
}

# Shows what the hook said. `git push` itself says only that something moved.
push() {
    pushed=$(date +%s%3N)
    quiet_git push origin main >"$work/push" 2>&1 || fail "git push failed: $(cat "$work/push")"
    sed -n 's/^remote: //p' "$work/push" | sed 's/ *$//' | shown
    ! grep -q 'not told of this push' "$work/push" || fail "the webhook was not accepted"
}

# The name of the site resolves to this machine whatever the resolver thinks of it.
read_page() {
    curl --silent --fail --max-time 5 --resolve "$host:$edge_port:127.0.0.1" "$site"
}

page_says() {
    read_page >"$work/page" && grep -qF "<h1>$1</h1>" "$work/page"
}

heading_of_page() {
    sed -n 's:.*<h1>\(.*\)</h1>.*:“\1”:p' "$work/page"
}
