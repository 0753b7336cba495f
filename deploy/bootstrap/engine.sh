# A container engine that answers: the one that runs, or one started here.
# shellcheck shell=sh
# shellcheck disable=SC2154 # `tools` is set by bootstrap.sh.

socket=/var/run/docker.sock
through_group=no

find_engine() {
    answers && return
    [ -z "${DOCKER_HOST:-}" ] || die "DOCKER_HOST is $DOCKER_HOST, and no engine answers there"
    can_be_root || die "no container engine answers; please run as root: dockerd"
    as_root docker info >/dev/null 2>&1 || start_engine
    answers || through_group=yes
}

answers() {
    docker info >/dev/null 2>&1
}

# The engine is left running, as any engine is, for the next run to find.
start_engine() {
    say "starting a container engine (its log: .tools/dockerd.log)"
    : >"$tools/dockerd.log"
    if [ -d /run/systemd/system ] && systemctl cat docker.service >/dev/null 2>&1; then
        quietly as_root systemctl start docker || die "systemd could not start docker.service"
    else
        forget_dead docker.pid dockerd
        forget_dead docker/containerd/containerd.pid containerd
        # shellcheck disable=SC2016 # The inner shell expands it.
        as_root sh -c 'setsid nohup dockerd >>"$1" 2>&1 </dev/null 9>&- &' sh "$tools/dockerd.log"
    fi
    deadline=$(($(date +%s) + 60))
    until as_root docker info >/dev/null 2>&1; do
        if [ "$(date +%s)" -ge "$deadline" ]; then
            tail -n 20 "$tools/dockerd.log" >&2
            die "the container engine did not answer within 60 seconds"
        fi
        sleep 0.2
    done
}

# forget_dead FILE NAME: a killed engine leaves its pid file, and the next one takes any process that has got the number
# since for itself.
forget_dead() {
    # shellcheck disable=SC2016 # The inner shell expands it.
    as_root sh -c '
        pid=$(cat "/var/run/$1" 2>/dev/null) || exit 0
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] || rm -f "/var/run/$1"
    ' sh "$1" "$2"
}

# with_engine COMMAND…: becomes the command, with the engine's socket open to it. A user outside the socket's group
# joins the group for this command alone: being in it is as good as being root, and not ours to hand out for longer.
with_engine() {
    [ $through_group = no ] ||
        set -- sudo --preserve-env --group="$(stat -L -c %G "$socket")" env PATH="$PATH" HOME="$HOME" "$@"
    exec "$@"
}
