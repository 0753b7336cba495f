#!/bin/sh
# Makes a fresh Debian machine able to run a recipe of the justfile, then runs it.
#
#   sh deploy/bootstrap.sh demo          one site, from its first build to a rollback
#   sh deploy/bootstrap.sh test          every check and every test
#   sh deploy/bootstrap.sh bench         every measurement, beside what each is held against
#   sh deploy/bootstrap.sh tools         install all that the two need, start nothing
#   sh deploy/bootstrap.sh RECIPE ARGS   any other recipe
#
# What is there already is used as it is, so a second run costs next to nothing. System packages come from Debian;
# everything else goes into .tools/, which may be deleted at any time.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
tools=$root/.tools
log=$tools/bootstrap.log

# An ordinary user's PATH lacks the folders of dockerd and debootstrap, and a shell that is not a login shell often
# lacks cargo's.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
command -v cargo >/dev/null || PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
export PATH

for part in say packages tools engine; do
    # shellcheck source=/dev/null
    . "$root/deploy/bootstrap/$part.sh"
done

if [ $# -eq 0 ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 64
fi

mkdir -p "$tools" 2>/dev/null || true
[ -w "$tools" ] || die "$tools cannot be written: sudo chown -R $(id -un) '$tools'"

# One bootstrap at a time, or two would build the same environment over each other.
exec 9>"$tools/lock"
flock -n 9 || { say "waiting for another bootstrap to finish"; flock 9; }
: >"$log"

case $1 in
    test | ci)
        require_cargo fmt clippy
        install_packages to_run to_test
        install_tools
        install_test_tools
        install_oidc_provider
        install_node_tools
        install_cargo_deny
        find_engine
        (with_engine sh "$root/deploy/image/build.sh" 9>&-)
        ;;
    build-image)
        install_packages to_run to_test
        install_tools
        find_engine
        ;;
    bench)
        require_cargo
        install_packages to_run to_bench
        install_tools
        install_test_tools
        ;;
    tools)
        require_cargo
        install_packages to_run to_test
        install_tools
        install_test_tools
        install_oidc_provider
        install_node_tools
        install_cargo_deny
        say "everything is there"
        exit 0
        ;;
    *)
        require_cargo
        install_packages to_run
        install_tools
        ;;
esac

cd "$root"
exec 9>&-
with_engine "$tools/venv/bin/just" "$@"
