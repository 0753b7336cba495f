# Builds the checkout in the current directory into `_site`.
# Runs with `sh -eu` in the sandbox. Arguments: the engine (static, node.js, hugo or jekyll), the folder of the site, the folder of
# its pages seen from there, and the site's own command; each of the last three may be empty.

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

install_packages() {
    if [ -f package-lock.json ]; then
        say 'npm ci'
        without_site_variables npm ci || fail 'npm ci failed, see the lines above' "$?"
    fi
}

run_script() {
    install_packages
    say "npm run $1"
    npm run "$1" || fail "npm run $1 failed, see the lines above" "$?"
}

run_command() {
    install_packages
    say 'the command of the site'
    sh -eu -c "$1" || fail 'the command of the site failed, see the lines above' "$?"
}

publish_static() {
    if [ -e "$pages" ]; then
        say "static files: $pages as it is"
        return
    fi
    [ "$pages" = _site ] || fail "the build left no $pages folder"
    say 'static files'
    mkdir _site
    for entry in * .[!.]* ..?*; do
        case $entry in .git | _site) continue ;; esac
        if [ -e "$entry" ] || [ -L "$entry" ]; then mv -- "$entry" _site/; fi
    done
}

run_hugo() {
    command -v hugo >/dev/null || fail 'this sandbox has no Hugo'
    say 'hugo'
    export HUGO_CACHEDIR="$HOME/hugo-cache" HUGO_RESOURCEDIR="$HOME/hugo-resources"
    hugo --destination "$pages" ${BASEURL:+--baseURL "$BASEURL"} || fail 'hugo failed, see the lines above' "$?"
}

# Whether the gems of the Gemfile are those of the sandbox. Only the Bundler that Debian packages finds gems that Debian packages.
has_gems() {
    set -- /usr/share/rubygems-integration/all/specifications/bundler-*.gemspec
    if [ -z "$bundler" ] && [ -e "$1" ]; then
        bundler=${1##*/bundler-} bundler=${bundler%.gemspec}
    fi
    without_site_variables bundle ${bundler:+"_${bundler}_"} install --local >"$HOME/bundle.log" 2>&1
}

# Installs the gems of the Gemfile: into the home of the build, but for those that the sandbox has.
install_gems() {
    command -v bundle >/dev/null || fail 'Gemfile is there, but this sandbox has no Bundler'
    asked=$(cat .bundler-version 2>/dev/null || true)
    case $asked in *[!0-9.]*) fail '.bundler-version is not a version' ;; esac
    bundler=$asked
    export GEM_HOME="$HOME/gems"
    say 'bundle install'
    if has_gems; then
        cat "$HOME/bundle.log"
    else
        bundler=$asked
        without_site_variables bundle ${bundler:+"_${bundler}_"} install || fail 'bundle install failed, see the lines above' "$?"
    fi
}

run_jekyll() {
    command -v jekyll >/dev/null || fail 'this sandbox has no Jekyll'
    export JEKYLL_ENV=production
    set -- jekyll
    if [ -f Gemfile ]; then
        install_gems
        set -- bundle ${bundler:+"_${bundler}_"} exec jekyll
    fi
    say 'jekyll build'
    "$@" build --destination "$pages" --baseurl "$BASEURL" || fail 'jekyll build failed, see the lines above' "$?"
}

engine=$1 pages=${3:-_site} top=$PWD
if [ -n "$2" ]; then
    [ -d "$2" ] || fail "there is no folder $2 in the repository"
    cd -- "$2"
fi
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false

# The Node.js of the sandbox is used: a version asked for in `.nvmrc` is not installed.
if [ -n "$4" ]; then
    run_command "$4"
else
    case $engine in
    node.js) script=$(wanted_script build) ;;
    *) script=$(wanted_script) ;;
    esac
    if [ -n "$script" ]; then
        run_script "$script"
    elif [ "$engine" = node.js ]; then
        [ -f package.json ] || fail 'nothing to run: there is no package.json'
        fail 'package.json has no script named pages, federalist or build'
    fi
    case $engine in
    static) publish_static ;;
    hugo) run_hugo ;;
    jekyll) run_jekyll ;;
    esac
fi

[ -d "$pages" ] || fail "the build left no $pages folder"
# The pages are taken from one place, whatever the site calls it.
if [ "$PWD/$pages" != "$top/_site" ]; then
    rm -rf -- "$top/_site.taken"
    mv -- "$pages" "$top/_site.taken"
    rm -rf -- "$top/_site"
    mv -- "$top/_site.taken" "$top/_site"
fi
say 'done'
