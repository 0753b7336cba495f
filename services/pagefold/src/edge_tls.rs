//! Where the edge speaks TLS.

use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// TLS at the edge.
#[derive(Debug, Clone, Args)]
pub(crate) struct EdgeTls {
    /// Address of the published sites over TLS; port 0 takes a free one. Without it there is no TLS
    #[arg(long, env = "PAGEFOLD_EDGE_TLS", value_name = "ADDRESS")]
    edge_tls: Option<SocketAddr>,
    /// Folder of certificates, wildcards too: the chain of each in NAME.pem, its key there or in NAME.key
    #[arg(long, env = "PAGEFOLD_EDGE_CERTIFICATES", value_name = "FOLDER")]
    edge_certificates: Option<PathBuf>,
}

impl EdgeTls {
    pub(crate) fn config(&self) -> Option<edge::Tls> {
        let certificates = self.edge_certificates.clone();
        self.edge_tls.map(|listen| edge::Tls { listen, certificates })
    }
}
