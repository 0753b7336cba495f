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

# The first line of a file that asks for a version, without a `v` or the name of a program before it.
version_in() {
    sed -n '1 { s/[[:space:]]*$//; s/^[[:space:]]*//; s/^v//; s/^ruby-//; p; }' "$1"
}

# Whether version $2 is the version $1, or one of it: 22.1.0 is one of 22.
is_version() {
    case $2 in "$1" | "$1".*) return 0 ;; *) return 1 ;; esac
}

# Installs programs from npm's registry for this build alone: $1 is what is there then, the rest are packages.
add_programs() {
    place=$HOME/programs/$1
    shift
    without_site_variables npm install --prefix "$place" --cache "$PAGEFOLD_CACHE/npm" --no-save --no-package-lock \
        --ignore-scripts --loglevel error --fetch-retry-mintimeout 1000 --fetch-retry-maxtimeout 5000 "$@" || return 1
    PATH=$place/node_modules/.bin:$PATH
}

# Takes the Node.js that `.nvmrc` asks for: that of the sandbox if it fits, else npm's package of its binaries.
use_node() {
    [ -f .nvmrc ] || return 0
    asked=$(version_in .nvmrc)
    case $asked in
    lts/iron) wanted=20 ;;
    lts/jod) wanted=22 ;;
    lts/krypton | 'lts/*' | lts | node | stable) wanted=24 ;;
    *) wanted=${asked%.x} ;;
    esac
    had=$(node --version 2>/dev/null || true)
    had=${had#v}
    case $wanted in
    *[!0-9.]* | '') fail ".nvmrc asks for Node.js $asked, which is no version: 20, 22 and 24 can be had" ;;
    20 | 20.* | 22 | 22.* | 24 | 24.*) ;;
    *) fail ".nvmrc asks for Node.js $asked: 20, 22 and 24 can be had, and this sandbox has ${had:-none}" ;;
    esac
    is_version "$wanted" "$had" && return 0
    case $(uname -m) in aarch64) machine=arm64 ;; *) machine=x64 ;; esac
    case $wanted in 24*) npm=11 ;; *) npm=10 ;; esac
    # Debian's own npm runs by Debian's own Node.js alone.
    add_programs node "node-linux-$machine@$wanted" "npm@$npm" ||
        fail ".nvmrc asks for Node.js $asked, which could not be fetched: this sandbox has ${had:-none}"
    say "Node.js $(node --version), as .nvmrc asks"
}

# Which package manager has locked the packages of the site: npm, yarn or pnpm. Nothing where there is no lockfile.
manager_of_site() {
    for pair in package-lock.json:npm npm-shrinkwrap.json:npm pnpm-lock.yaml:pnpm yarn.lock:yarn; do
        if [ -f "${pair%%:*}" ]; then
            echo "${pair#*:}"
            return
        fi
    done
}

# The package of npm's registry that is the manager $1 of this site: the version that package.json names, or one that reads its lockfile.
package_of_manager() {
    named=$(node -e '
        const { packageManager = "" } = JSON.parse(require("fs").readFileSync("package.json", "utf8").replace(/^\uFEFF/, ""));
        const [, name, version] = /^(yarn|pnpm)@(\d+(?:\.\d+)*)(?:\+.*)?$/.exec(packageManager) ?? [];
        process.stdout.write(name === process.argv[1] ? version : "");
    ' "$1" 2>/dev/null || true)
    case $1 in
    pnpm)
        case $(sed -n "s/^lockfileVersion: *'\{0,1\}\([0-9]*\).*/\1/p" pnpm-lock.yaml) in
        5) usual=7 ;;
        6) usual=8 ;;
        *) usual=9 ;;
        esac
        echo "pnpm@${named:-$usual}"
        ;;
    yarn)
        if grep -q '^__metadata:' yarn.lock; then usual=4; else usual=1; fi
        case ${named:-$usual} in
        1 | 1.*) echo "yarn@${named:-1}" ;;
        *) echo "@yarnpkg/cli-dist@${named:-$usual}" ;;
        esac
        ;;
    esac
}

# Fetches the manager of the site, if that is not npm, which is there.
use_manager() {
    manager=$(manager_of_site)
    manager=${manager:-npm}
    [ "$manager" != npm ] || return 0
    package=$(package_of_manager "$manager")
    add_programs "$manager" "$package" || fail "the lockfile is of $manager: $package could not be fetched"
}

install_packages() {
    use_manager
    case $(manager_of_site) in
    npm) installing='npm ci' && set -- --cache "$PAGEFOLD_CACHE/npm" --prefer-offline ;;
    pnpm) installing='pnpm install' && set -- --frozen-lockfile --store-dir "$PAGEFOLD_CACHE/pnpm" ;;
    yarn)
        installing='yarn install'
        case $package in
        yarn@*) set -- --frozen-lockfile --non-interactive --cache-folder "$PAGEFOLD_CACHE/yarn" ;;
        *)
            set -- --immutable
            # It looks for neither by itself.
            export YARN_GLOBAL_FOLDER="$PAGEFOLD_CACHE/yarn" YARN_ENABLE_GLOBAL_CACHE=true YARN_ENABLE_TELEMETRY=false
            if [ -n "${http_proxy:-}" ]; then
                export YARN_HTTP_PROXY="$http_proxy" YARN_HTTPS_PROXY="$http_proxy"
            fi
            ;;
        esac
        ;;
    *) return 0 ;;
    esac
    say "$installing"
    # Its name is two words.
    # shellcheck disable=SC2086
    without_site_variables $installing "$@" || fail "$installing failed, see the lines above" "$?"
}

run_script() {
    install_packages
    say "$manager run $1"
    "$manager" run "$1" || fail "$manager run $1 failed, see the lines above" "$?"
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

# Whether the Hugo of the sandbox is the one that `.hugo-version` asks for.
check_hugo() {
    [ -f .hugo-version ] || return 0
    asked=$(version_in .hugo-version)
    wanted=${asked#extended_}
    case $wanted in *[!0-9.]* | '') fail ".hugo-version asks for Hugo $asked, which is no version" ;; esac
    there=$(hugo version)
    had=$(printf '%s' "$there" | sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p')
    is_version "$wanted" "$had" || fail ".hugo-version asks for Hugo $asked: this sandbox has $had"
    case $asked:$there in
    extended_*:*extended* | [0-9]*) ;;
    *) fail ".hugo-version asks for Hugo $asked: this sandbox has $had, which is not extended" ;;
    esac
}

run_hugo() {
    command -v hugo >/dev/null || fail 'this sandbox has no Hugo'
    check_hugo
    say 'hugo'
    # What is computed is kept: it is named after all that it is made of. What is fetched from elsewhere is fetched by every build.
    export HUGO_CACHEDIR="$HOME/hugo-cache" HUGO_RESOURCEDIR="$PAGEFOLD_CACHE/hugo"
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
    asked=$(version_in .bundler-version 2>/dev/null || true)
    case $asked in *[!0-9.]*) fail '.bundler-version is not a version' ;; esac
    if [ -n "$asked" ]; then
        there=$(ruby -e 'print Gem::Specification.find_all_by_name("bundler").map { |one| one.version.to_s }.uniq.join(", ")')
        case ", $there, " in *", $asked, "*) ;; *) fail ".bundler-version asks for Bundler $asked: this sandbox has $there" ;; esac
    fi
    bundler=$asked
    # Without a lockfile gems that were kept would be taken for those that are the newest.
    if [ -f Gemfile.lock ] || [ -f gems.locked ]; then
        export GEM_HOME="$PAGEFOLD_CACHE/gems/$(ruby -e 'print RUBY_VERSION')"
    else
        export GEM_HOME="$HOME/gems"
    fi
    say 'bundle install'
    if has_gems; then
        cat "$HOME/bundle.log"
    else
        bundler=$asked
        without_site_variables bundle ${bundler:+"_${bundler}_"} install || fail 'bundle install failed, see the lines above' "$?"
    fi
}

# Whether the Ruby of the sandbox is of the release that `.ruby-version` asks for. What follows the second point mends it.
check_ruby() {
    [ -f .ruby-version ] || return 0
    asked=$(version_in .ruby-version)
    case $asked in [0-9]*) ;; *) fail ".ruby-version asks for $asked, which is no version of Ruby" ;; esac
    had=$(ruby -e 'print RUBY_VERSION')
    release=$(printf '%s' "$asked" | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')
    is_version "$release" "$had" || fail ".ruby-version asks for Ruby $asked: this sandbox has $had"
    is_version "$asked" "$had" || say "Ruby $had, where .ruby-version asks for $asked"
}

run_jekyll() {
    command -v jekyll >/dev/null || fail 'this sandbox has no Jekyll'
    check_ruby
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

if [ -f package.json ] || [ -n "$4" ]; then use_node; fi
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
