//! What a program asks a proxy for: `CONNECT host:port`, or a request with the whole address of its target (RFC 9112, 3.2).

use std::io;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;

/// Longest head of a request, in bytes.
const HEAD_MAX: usize = 16 * 1024;
const END: &[u8] = b"\r\n\r\n";
/// Headers that are between a program and its proxy alone.
const OURS: [&str; 4] = ["proxy-connection", "proxy-authorization", "connection", "keep-alive"];

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A connection, whatever goes through it.
    Tunnel { host: String, port: u16 },
    /// An answer to this request.
    Forward { host: String, port: u16, head: Vec<u8> },
}

/// A head, and what came behind it already.
pub(super) struct Head {
    pub(super) asked: Asked,
    pub(super) rest: Vec<u8>,
}

impl Asked {
    /// Where it leads.
    pub(super) fn place(&self) -> (&str, u16) {
        match self {
            Self::Tunnel { host, port } | Self::Forward { host, port, .. } => (host, *port),
        }
    }
}

/// Reads the head of a request; none if it is not one for a proxy.
pub(super) async fn read_head(client: &mut UnixStream) -> io::Result<Option<Head>> {
    let mut read = Vec::with_capacity(1024);
    loop {
        if let Some(end) = read.windows(END.len()).position(|window| window == END) {
            let rest = read.split_off(end + END.len());
            return Ok(asked(&read).map(|asked| Head { asked, rest }));
        }
        if read.len() > HEAD_MAX || client.read_buf(&mut read).await? == 0 {
            return Ok(None);
        }
    }
}

fn asked(head: &[u8]) -> Option<Asked> {
    let text = std::str::from_utf8(head).ok()?;
    let (line, headers) = text.split_once("\r\n")?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !version.starts_with("HTTP/1.") {
        return None;
    }
    if method == "CONNECT" {
        let (host, port) = place(target, None)?;
        return Some(Asked::Tunnel { host, port });
    }
    let rest = target.strip_prefix("http://")?;
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let (host, port) = place(authority, Some(80))?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let is_theirs = |header: &&str| {
        let name = header.split(':').next().unwrap_or_default();
        !OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours))
    };
    let headers: Vec<&str> = headers.split("\r\n").filter(|header| !header.is_empty()).filter(is_theirs).collect();
    // One request a connection: the next one may be for another host.
    let head = format!("{method} {path} {version}\r\n{}\r\nConnection: close\r\n\r\n", headers.join("\r\n"));
    Some(Asked::Forward { host, port, head: head.into_bytes() })
}

/// A host and a port, which may be missing where there is a usual one.
fn place(authority: &str, usual: Option<u16>) -> Option<(String, u16)> {
    if authority.contains('@') {
        return None;
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(host, port)| (host, port.strip_prefix(':')))?,
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(usual, |port| port.parse().ok())?;
    (!host.is_empty()).then(|| (host.trim_end_matches('.').to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Asked> {
        asked(text.as_bytes())
    }

    #[test]
    fn a_tunnel_and_a_whole_address_are_what_a_proxy_is_asked_for() {
        let tunnel = |host: &str, port| Some(Asked::Tunnel { host: host.to_owned(), port });
        assert_eq!(of("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n"), tunnel("example.org", 443));
        assert_eq!(of("CONNECT [::1]:443 HTTP/1.1\r\n\r\n"), tunnel("::1", 443));
        let forwarded =
            "GET http://example.org/a?b HTTP/1.1\r\nHost: example.org\r\nProxy-Connection: keep-alive\r\nA: b\r\n\r\n";
        let head = b"GET /a?b HTTP/1.1\r\nHost: example.org\r\nA: b\r\nConnection: close\r\n\r\n".to_vec();
        assert_eq!(of(forwarded), Some(Asked::Forward { host: "example.org".to_owned(), port: 80, head }));
        assert_eq!(of("GET http://example.org:8080 HTTP/1.0\r\n\r\n").unwrap().place(), ("example.org", 8080));
    }

    #[test]
    fn anything_else_is_not() {
        for text in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET https://example.org/ HTTP/1.1\r\n\r\n",
            "CONNECT example.org HTTP/1.1\r\n\r\n",
            "CONNECT example.org:x HTTP/1.1\r\n\r\n",
            "CONNECT example.org:443 HTTP/2\r\n\r\n",
            "CONNECT example.org:443 x HTTP/1.1\r\n\r\n",
            "GET http://user@example.org/ HTTP/1.1\r\n\r\n",
            "GET http:///x HTTP/1.1\r\n\r\n",
            "\r\n\r\n",
        ] {
            assert_eq!(of(text), None, "{text:?}");
        }
    }
}
