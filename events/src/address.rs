//! Which addresses a repository may have: what can be said of them before anybody connects.
//!
//! Names can lead anywhere and to another place a moment later, so whoever connects asks [`reach`] once more, of the very
//! address that is connected to. What is refused here can never be allowed there.

use crate::name::RepositoryUrl;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Component, Path, PathBuf};

/// What an installation lets its sites name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Whether repositories may be on private networks and on this machine's own loopback addresses.
    pub private: bool,
    /// Folders of this machine below which repositories may be. None means that no path is allowed.
    pub folders: Vec<PathBuf>,
}

/// How far an address reaches, from the harmless to the forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Anywhere: everybody can connect to it.
    Public,
    /// A private network or the machine itself.
    Private,
    /// Link-local, multicast, unspecified, or where a cloud tells its machines their secrets. Never a repository.
    Never,
}

/// Why a repository's address is refused. Its text goes on from "the address of the repository".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// [`Reach::Never`].
    #[error("is link-local or otherwise reserved")]
    Never,
    /// [`Reach::Private`], and private addresses are not allowed.
    #[error("is private or this machine's own, which is not allowed here")]
    Private,
    /// A path, and none of [`Allowed::folders`] is above it.
    #[error("is a path on this machine that is not below a folder named for repositories")]
    Path,
}

impl Allowed {
    /// Says whether builds may ever fetch from `repository` here.
    ///
    /// # Errors
    /// [`NotAllowed`] if they never may.
    pub fn check(&self, repository: &RepositoryUrl) -> Result<(), NotAllowed> {
        if repository.own_site().is_some() {
            return Ok(());
        }
        let text = repository.as_str();
        match text.strip_prefix("file://").or_else(|| text.starts_with('/').then_some(text)) {
            Some(path) => self.check_path(path),
            None => self.check_host(host(text)),
        }
    }

    /// Checks a path by its spelling; links are for whoever opens it.
    ///
    /// # Errors
    /// [`NotAllowed::Path`] if it is not below an allowed folder.
    pub fn check_path(&self, path: &str) -> Result<(), NotAllowed> {
        // Git reads `%` as an escape in some spellings of a path and not in others.
        let climbs = Path::new(path).components().any(|part| part == Component::ParentDir);
        let below = self.folders.iter().any(|folder| Path::new(path).starts_with(folder));
        if below && !climbs && !path.contains('%') { Ok(()) } else { Err(NotAllowed::Path) }
    }

    /// Checks an address that is about to be connected to.
    ///
    /// # Errors
    /// [`NotAllowed`] if it must not be.
    pub fn check_ip(&self, address: IpAddr) -> Result<(), NotAllowed> {
        match reach(address) {
            Reach::Public => Ok(()),
            Reach::Private if self.private => Ok(()),
            Reach::Private => Err(NotAllowed::Private),
            Reach::Never => Err(NotAllowed::Never),
        }
    }

    /// Checks a host by its spelling; where a name leads is for whoever connects.
    ///
    /// # Errors
    /// [`NotAllowed`] if nobody may ever connect to it.
    pub fn check_host(&self, host: &str) -> Result<(), NotAllowed> {
        let host = decoded(host).trim_end_matches('.').to_ascii_lowercase();
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        let without_zone = literal.split('%').next().unwrap_or_default();
        let address = without_zone.parse().ok().or_else(|| numeric(literal).map(IpAddr::V4));
        match address {
            Some(address) => self.check_ip(address),
            None if host == "localhost" || host.ends_with(".localhost") => {
                self.check_ip(IpAddr::V4(Ipv4Addr::LOCALHOST))
            }
            None => Ok(()),
        }
    }
}

/// The address that a resolver of the C library reads in numbers of its own fashion: one to four of them, each decimal, octal
/// or hexadecimal, the last for all the bytes that are left.
fn numeric(host: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u32> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = numbers.split_last().filter(|(_, first)| first.len() < 4)?;
    let mut address = 0;
    for number in first {
        address = address << 8 | u32::from(u8::try_from(*number).ok()?);
    }
    let left = 32 - 8 * first.len();
    let fits = u64::from(*last) < 1 << left;
    let high = u32::try_from(u64::from(address) << left).ok()?;
    fits.then(|| Ipv4Addr::from(high | last))
}

fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some("") => ("0", 16),
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let plain = digits.bytes().all(|digit| digit.is_ascii_alphanumeric());
    u32::from_str_radix(digits, radix).ok().filter(|_| plain)
}

/// The text with `%31` read as `1`: some programs do so with the host of a URL.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut read = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii);
        match byte {
            Some(byte) => read.extend([char::from(byte)].into_iter().chain(part.chars().skip(2))),
            None => read.extend(['%'].into_iter().chain(part.chars())),
        }
    }
    read
}

/// The host of an address that is no path, without user and port.
fn host(text: &str) -> &str {
    let rest = match text.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None => text.split_once(':').map_or(text, |(login, _)| login),
    };
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    match host.find(']') {
        Some(end) => host.get(..=end).unwrap_or(host),
        None => host.split(':').next().unwrap_or_default(),
    }
}

/// How far an address reaches. One that carries another inside, as translators do, reaches as far as that.
#[must_use]
pub fn reach(address: IpAddr) -> Reach {
    match (address, inner(address)) {
        (IpAddr::V4(address), _) => of_v4(address),
        (IpAddr::V6(address), None) => of_v6(address),
        (IpAddr::V6(address), Some(inner)) => of_v4(inner).max(of_v6(address)),
    }
}

/// The IPv4 address that an IPv6 address carries: IPv4-mapped, 6to4, NAT64 or ISATAP.
#[must_use]
pub fn inner(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let joined = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => joined(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => joined(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => joined(high, low),
        [0x2002, high, low, ..] => joined(high, low),
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => joined(high, low),
        _ => None,
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        // Where clouds answer outside of 169.254.0.0/16: Azure, Oracle, Alibaba.
        [168, 63, 129, 16] | [192, 0, 0, 192] | [100, 100, 100, 200] => Reach::Never,
        [0, ..] | [169, 254, ..] | [224..=255, ..] => Reach::Never,
        [10 | 127, ..] | [192, 168, ..] | [172, 16..=31, ..] => Reach::Private,
        [100, 64..=127, ..] | [198, 18 | 19, ..] | [192, 0, 0, _] => Reach::Private,
        _ => Reach::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        [0, 0, 0, 0, 0, 0xffff, ..] => Reach::Public,
        // Unspecified and IPv4-compatible; Teredo; translation that a network chose for itself.
        [0, 0, 0, 0, 0, 0, ..] | [0x2001, 0, ..] | [0x64, 0xff9b, 1, ..] => Reach::Never,
        // Where Amazon's and Google's clouds answer.
        [0xfd00, 0x0ec2, ..] | [0xfd20, 0x00ce, ..] => Reach::Never,
        [0xfe80..=0xfebf | 0xff00..=0xffff, ..] => Reach::Never,
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Reach::Private,
        _ => Reach::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_reaches_as_far_as_what_it_carries() {
        for (address, expected) in [
            ("93.184.216.34", Reach::Public),
            ("2606:2800::1", Reach::Public),
            ("::ffff:93.184.216.34", Reach::Public),
            ("64:ff9b::5db8:d822", Reach::Public),
            ("127.0.0.1", Reach::Private),
            ("10.1.2.3", Reach::Private),
            ("172.31.0.1", Reach::Private),
            ("192.168.1.1", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("::1", Reach::Private),
            ("fd12::1", Reach::Private),
            ("::ffff:127.0.0.1", Reach::Private),
            ("64:ff9b::7f00:1", Reach::Private),
            ("2002:7f00:1::", Reach::Private),
            ("169.254.169.254", Reach::Never),
            ("::ffff:169.254.169.254", Reach::Never),
            ("::ffff:0:169.254.169.254", Reach::Never),
            ("64:ff9b::a9fe:a9fe", Reach::Never),
            ("64:ff9b:1::a9fe:a9fe", Reach::Never),
            ("2002:a9fe:a9fe::1", Reach::Never),
            ("2606::5efe:a9fe:a9fe", Reach::Never),
            ("2606::200:5efe:a9fe:a9fe", Reach::Never),
            ("::169.254.169.254", Reach::Never),
            ("2001::1", Reach::Never),
            ("fe80::1", Reach::Never),
            ("fd00:ec2::254", Reach::Never),
            ("fd20:ce::254", Reach::Never),
            ("168.63.129.16", Reach::Never),
            ("100.100.100.200", Reach::Never),
            ("0.0.0.0", Reach::Never),
            ("::", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("ff02::1", Reach::Never),
        ] {
            assert_eq!(reach(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn what_can_never_be_fetched_is_refused_by_its_spelling() {
        let open = Allowed { private: true, folders: vec!["/srv/git".into()] };
        let closed = Allowed::default();
        for (address, when_open, when_closed) in [
            ("https://github.com/acme/docs", Ok(()), Ok(())),
            ("git@github.com:acme/docs", Ok(()), Ok(())),
            ("http://169.254.169.254/x", Err(NotAllowed::Never), Err(NotAllowed::Never)),
            ("http://169.254.169.254:80/x", Err(NotAllowed::Never), Err(NotAllowed::Never)),
            ("ssh://git@169.254.169.254/x", Err(NotAllowed::Never), Err(NotAllowed::Never)),
            ("git@169.254.169.254:x", Err(NotAllowed::Never), Err(NotAllowed::Never)),
            ("http://[::ffff:169.254.169.254]:8080/x", Err(NotAllowed::Never), Err(NotAllowed::Never)),
            ("http://[fe80::1%25eth0]/x", Err(NotAllowed::Never), Err(NotAllowed::Never)),
            ("http://127.0.0.1:3000/x", Ok(()), Err(NotAllowed::Private)),
            ("http://LOCALHOST./x", Ok(()), Err(NotAllowed::Private)),
            ("git://[::1]/x", Ok(()), Err(NotAllowed::Private)),
            ("file:///srv/git/docs", Ok(()), Err(NotAllowed::Path)),
            ("/srv/git/docs.git", Ok(()), Err(NotAllowed::Path)),
            ("/srv/github", Err(NotAllowed::Path), Err(NotAllowed::Path)),
            ("/srv/git/../../etc", Err(NotAllowed::Path), Err(NotAllowed::Path)),
            ("file:///srv/git/%2e%2e/x", Err(NotAllowed::Path), Err(NotAllowed::Path)),
            ("file:///etc", Err(NotAllowed::Path), Err(NotAllowed::Path)),
        ] {
            let address: RepositoryUrl = address.parse().unwrap();
            assert_eq!(open.check(&address), when_open, "{address}");
            assert_eq!(closed.check(&address), when_closed, "{address}");
        }
    }

    const PRIVATE: [&str; 26] = [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0X7F000001",
        "0x7f.1",
        "0x7f.0x0.0x0.0x1",
        "017700000001",
        "0177.0.0.1",
        "0177.0.0.01.",
        "127.0x1",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::FFFF:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "localhost",
        "LocalHost.",
        "a.localhost.",
        "loc%61lhost",
        "0xa.1",
        "10.0x0.1",
        "3232235777",
    ];
    const NEVER: [&str; 20] = [
        "169.254.169.254.",
        "169.254.43518",
        "169.16689662",
        "2852039166",
        "0xa9fea9fe",
        "0xa9.0xfe.0xa9.0xfe",
        "025177524776",
        "0251.0376.0251.0376",
        "169.254.169.%32%35%34",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "0",
        "0x0",
        "0x",
        "00",
        "0.0.0.0.",
        "4294967295",
        "[::]",
    ];
    /// Names, and numbers that are no address to anybody.
    const ELSEWHERE: [&str; 8] = [
        "github.com",
        "github.com.",
        "1.example",
        "0x7f.example",
        "localhost.example",
        "127.0.0.1.1",
        "08.1",
        "4294967296",
    ];

    #[test]
    fn every_spelling_of_a_forbidden_address_is_refused_by_name_alone() {
        let (open, closed) = (Allowed { private: true, folders: Vec::new() }, Allowed::default());
        let checked = |allowed: &Allowed, host: &str| {
            let spelled =
                [format!("http://{host}/x"), format!("ssh://git@{host}:2222/x"), format!("git://{host}:80/x")];
            let told: Vec<_> = spelled.iter().map(|address| allowed.check(&address.parse().unwrap())).collect();
            assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{host}: {told:?}");
            told[0]
        };
        for host in PRIVATE {
            assert_eq!(checked(&closed, host), Err(NotAllowed::Private), "{host}");
            assert_eq!(checked(&open, host), Ok(()), "{host}");
        }
        for host in NEVER {
            assert_eq!(checked(&open, host), Err(NotAllowed::Never), "{host}");
        }
        for host in ELSEWHERE {
            assert_eq!(checked(&closed, host), Ok(()), "{host}");
        }
    }

    proptest! {
        #[test]
        fn an_address_in_numbers_is_the_address(address in any::<u32>()) {
            let plain = Ipv4Addr::from(address);
            let [a, b, c, d] = plain.octets();
            let (low16, low24) = (address & 0xffff, address & 0x00ff_ffff);
            for spelled in [
                format!("{address}"),
                format!("{address:#x}"),
                format!("0{address:o}"),
                format!("{a}.{low24}"),
                format!("{a:#x}.0{b:o}.{low16}"),
                format!("{a}.{b:#x}.{c}.{d:#x}"),
            ] {
                prop_assert_eq!(numeric(&spelled), Some(plain), "{}", spelled);
            }
        }

        #[test]
        fn nothing_forbidden_hides_in_another_address(a in 1_u8..=255, rest in any::<[u8; 3]>()) {
            let plain = Ipv4Addr::new(a, rest[0], rest[1], rest[2]);
            let [high, low] = [u16::from_be_bytes([a, rest[0]]), u16::from_be_bytes([rest[1], rest[2]])];
            for wrapped in [
                plain.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2606, 0, 0, 0, 0, 0x5efe, high, low),
            ] {
                prop_assert!(reach(IpAddr::V6(wrapped)) >= reach(IpAddr::V4(plain)), "{} in {}", plain, wrapped);
            }
        }
    }
}
