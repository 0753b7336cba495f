# Runs inside a sandbox: passes connections on loopback to the socket of the gate, and becomes the command of the build.
# Arguments: the port, the socket, the command. Perl is part of every Debian.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;

my ($port, $gate, @command) = @ARGV;
my $door = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1)
    or die "[sandbox] there is no way to the network: $!\n";
# What answers is nobody's child: the command waits for its own alone.
unless (fork) {
    exit if fork;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $client = $door->accept or next;
        next if fork;
        close $door;
        my $server = IO::Socket::UNIX->new(Peer => $gate) or exit;
        relay($client, $server);
        exit;
    }
}
wait;
close $door;
exec @command or die "[sandbox] the command of the build cannot be run: $!\n";

sub relay {
    my ($client, $server) = @_;
    my %other = (fileno $client => $server, fileno $server => $client);
    my $open = IO::Select->new($client, $server);
    while ($open->count) {
        for my $from ($open->can_read) {
            my $to = $other{fileno $from};
            if (sysread $from, my $bytes, 65536) {
                my $sent = 0;
                while ($sent < length $bytes) {
                    my $count = syswrite $to, $bytes, length($bytes) - $sent, $sent;
                    return unless defined $count;
                    $sent += $count;
                }
            } else {
                $open->remove($from);
                shutdown $to, 1;
            }
        }
    }
}
