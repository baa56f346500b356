//! Addresses that are never called: link-local ones, where clouds keep their metadata.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

pub(super) const REFUSAL: &str = "its address is link-local, and such are never called";

/// AWS's metadata has this one beside the link-local one.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Looks names up, and leaves out the addresses that are not called: what is checked is what is connected to.
pub(super) struct GuardedNames;

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<SocketAddr> =
                found.filter(|found| !is_guarded(found.ip())).collect();
            if addresses.is_empty() {
                return Err(REFUSAL.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether a URL has such an address for its host; names are looked at when they are looked up.
pub(super) fn is_link_local(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    address.is_ok_and(is_guarded)
}

fn is_guarded(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address == METADATA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clouds_metadata_is_not_called_however_it_is_written() {
        for url in [
            "http://169.254.169.254/latest",
            "http://0xa9fea9fe/",
            "http://2852039166/",
            "http://[::ffff:169.254.169.254]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
        ] {
            assert!(
                is_link_local(&reqwest::Url::parse(url).expect("a URL")),
                "{url}"
            );
        }
        for url in ["http://10.0.0.1/", "http://[::1]/", "http://a.example.com/"] {
            assert!(
                !is_link_local(&reqwest::Url::parse(url).expect("a URL")),
                "{url}"
            );
        }
    }
}
