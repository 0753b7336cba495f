# Builds the checkout in the current directory into `_site`.
# Runs with `sh -eu` in the sandbox; the first argument is the engine: static, node.js or hugo.

say() {
    printf '[build] %s\n' "$*"
}

fail() {
    say "$1"
    exit "${2:-1}"
}

# Prints the npm script to run: `pages`, else `federalist`, else `build` where the site is one of Node.js, else nothing.
wanted_script() {
    [ -f package.json ] || return 0
    command -v node >/dev/null || fail 'package.json is there, but this sandbox has no Node.js' >&2
    node -e '
        const { scripts = {} } = JSON.parse(require("fs").readFileSync("package.json", "utf8").replace(/^\uFEFF/, ""));
        process.stdout.write(["pages", "federalist", ...process.argv.slice(1)].find((name) => typeof scripts[name] === "string") ?? "");
    ' "$@" || fail 'package.json cannot be read' >&2
}

# Runs a command with nothing of the site in its environment: what installs packages needs none of it.
without_site_variables() {
    for name in $SITE_VARIABLES; do
        set -- -u "$name" "$@"
    done
    env "$@"
}

run_script() {
    if [ -f package-lock.json ]; then
        say 'npm ci'
        without_site_variables npm ci || fail 'npm ci failed, see the lines above' "$?"
    fi
    say "npm run $1"
    npm run "$1" || fail "npm run $1 failed, see the lines above" "$?"
}

# The Node.js of the sandbox is used: a version asked for in `.nvmrc` is not installed.
case $1 in
node.js) script=$(wanted_script build) ;;
*) script=$(wanted_script) ;;
esac
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
if [ -n "$script" ]; then
    run_script "$script"
elif [ "$1" = node.js ]; then
    [ -f package.json ] || fail 'nothing to run: there is no package.json'
    fail 'package.json has no script named pages, federalist or build'
fi

case $1 in
static)
    if [ -e _site ]; then
        say 'static files: _site as it is'
    else
        say 'static files'
        mkdir _site
        for entry in * .[!.]* ..?*; do
            case $entry in .git | _site) continue ;; esac
            if [ -e "$entry" ] || [ -L "$entry" ]; then mv -- "$entry" _site/; fi
        done
    fi
    ;;
hugo)
    command -v hugo >/dev/null || fail 'this sandbox has no Hugo'
    say 'hugo'
    export HUGO_CACHEDIR="$HOME/hugo-cache" HUGO_RESOURCEDIR="$HOME/hugo-resources"
    hugo --destination _site ${BASEURL:+--baseURL "$BASEURL"} || fail 'hugo failed, see the lines above' "$?"
    ;;
esac

[ -d _site ] || fail 'the build left no _site folder'
say 'done'
