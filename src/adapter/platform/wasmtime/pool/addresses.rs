//! Which addresses outbound requests may reach.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A name that leads to private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("the name leads into a private network")]
pub(super) struct PrivateName;

/// Resolves names to public addresses, `localhost` to loopback ones. Checked here, at the one look-up whose result is connected to,
/// so that a name cannot answer differently the second time. The client does not ask for IP literals: they are checked with the list of hosts.
pub(super) struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let is_localhost = name.as_str().eq_ignore_ascii_case("localhost");
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let reachable: Vec<_> = found
                .into_iter()
                .filter(|address| {
                    if is_localhost {
                        address.ip().is_loopback()
                    } else {
                        is_public(address.ip())
                    }
                })
                .collect();
            if reachable.is_empty() {
                return Err(PrivateName.into());
            }
            Ok(Box::new(reachable.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the internet at large: not loopback, link-local (where clouds keep their metadata), private, shared or reserved.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            embedded_v4(address).map_or_else(|| is_public_v6(address), is_public_v4)
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (b == 18 || b == 19));
    !(reserved
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // 2000::/3 is all of the public space; documentation is inside it.
    let [first, second, ..] = address.segments();
    first & 0xe000 == 0x2000 && (first, second) != (0x2001, 0x0db8)
}

/// The IPv4 address a translator would connect to: mapped, compatible, NAT64 and 6to4 forms.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, _, _, _, _, high, low]
        | [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn addresses_in_disguise_are_private() {
        for address in [
            "::ffff:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "fe80::1",
            "fd00::1",
            "::",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
        ] {
            assert!(!is_public(address.parse().expect("address")), "{address}");
        }
        for address in ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(address.parse().expect("address")), "{address}");
        }
    }
}
