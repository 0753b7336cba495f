# Starts a sandbox: joins control groups while it still may, then becomes the given command.
# Arguments: the file of the sandbox's arguments, how many groups, the file of each to join by, the command. Standard input
# becomes descriptor 3, on which the sandbox reports, and the arguments descriptor 4; the build itself reads from nowhere.
# The platform's own files are closed to others; how a build makes its files is its own matter.
umask 022
arguments=$1
shift
groups=$1
shift
while [ "$groups" -gt 0 ]; do
    echo $$ >"$1"
    shift
    groups=$((groups - 1))
done
# What our own parent may have left open, such as sockets of a service manager, is not for the build.
exec "$@" 3<&0 </dev/null 4<"$arguments" 5<&- 6<&- 7<&- 8<&- 9<&-
