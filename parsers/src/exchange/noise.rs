//! Requests that no person made, told from their columns (DOMAIN.md 2.5), so that they are counted
//! apart and not judged.

use super::{contains, is_absent, segments, starts_with};
use crate::noise_name::is_of_exchange;

/// Why a request is no person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Noise {
    /// Managed Availability, `Test-*` cmdlets, system mailboxes.
    Probe,
    /// A computer or a service identity of the machine: server to server.
    Machine,
    /// The server asking itself, without a name.
    Loopback,
    /// A load balancer asking whether the server lives.
    Healthcheck,
}

impl Noise {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Noise::Probe => "probe",
            Noise::Machine => "machine",
            Noise::Loopback => "loopback",
            Noise::Healthcheck => "healthcheck",
        }
    }
}

/// Whether the request is noise, and which.
///
/// A request under any other name is never noise, whatever its user agent, address or stem: the
/// user agent is the client's own word, and behind a reverse proxy on the same machine everybody
/// comes from `127.0.0.1`. A leaver could hide behind either.
pub fn noise(
    cs_username: &[u8],
    cs_user_agent: &[u8],
    c_ip: &[u8],
    cs_uri_stem: &[u8],
) -> Option<Noise> {
    if !is_absent(cs_username) {
        return name_noise(cs_username);
    }
    if is_healthcheck(cs_uri_stem) {
        Some(Noise::Healthcheck)
    } else if is_probe_agent(cs_user_agent) {
        Some(Noise::Probe)
    } else if is_own_address(c_ip) {
        Some(Noise::Loopback)
    } else {
        None
    }
}

/// The name is one that Exchange or Windows made for itself.
///
/// A log does not say whether `x$` is a computer. It is taken for one: servers ask each other all day,
/// and no mailbox of a person has such a name. A user object can be hidden behind one all the same: whoever
/// reads logs for an account that events or exports tell of has to ask for that account first.
fn name_noise(cs_username: &[u8]) -> Option<Noise> {
    let at = memchr::memrchr2(b'\\', b'/', cs_username);
    let (domain, sam) = match at.and_then(|at| cs_username.split_at_checked(at)) {
        Some((domain, rest)) => (domain, rest.get(1..).unwrap_or_default()),
        None => (&b""[..], cs_username),
    };
    let sam = memchr::memchr(b'@', sam).and_then(|at| sam.get(..at)).unwrap_or(sam);
    const OWN_DOMAINS: &[&str] =
        &["NT+AUTHORITY", "NT AUTHORITY", "NT+SERVICE", "NT SERVICE", "IIS+APPPOOL", "IIS APPPOOL"];
    if sam.ends_with(b"$")
        || OWN_DOMAINS.iter().any(|own| domain.eq_ignore_ascii_case(own.as_bytes()))
        || [&b"S-1-5-18"[..], b"S-1-5-19", b"S-1-5-20"].contains(&sam)
    {
        return Some(Noise::Machine);
    }
    is_of_exchange(sam).then_some(Noise::Probe)
}

fn is_healthcheck(cs_uri_stem: &[u8]) -> bool {
    segments(cs_uri_stem).next_back().is_some_and(|last| {
        last.eq_ignore_ascii_case(b"healthcheck.htm")
            || last.eq_ignore_ascii_case(b"exhealth.check")
    })
}

/// Beginnings and parts of the user agents of probes; none holds a blank, so `+` needs no decoding.
fn is_probe_agent(cs_user_agent: &[u8]) -> bool {
    const BEGIN: &[&str] =
        &["AMProbe/", "MapiHttpClient", "Test-", "TestActiveSync", "ExchangeInternal"];
    const HOLD: &[&str] = &["_Probe/", "ActiveMonitoring", "MSEXCHMON"];
    BEGIN.iter().any(|begin| starts_with(cs_user_agent, begin))
        || HOLD.iter().any(|part| contains(cs_user_agent, part))
}

/// Loopback, or link-local IPv6, which Exchange servers use to reach themselves.
fn is_own_address(c_ip: &[u8]) -> bool {
    let zone = c_ip.iter().position(|&b| b == b'%');
    let address = zone.and_then(|at| c_ip.get(..at)).unwrap_or(c_ip);
    address == b"::1"
        || starts_with(address, "127.")
        || starts_with(address, "::ffff:127.")
        || starts_with(address, "fe80:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_exchange_and_windows_are_noise_and_people_are_not() {
        for (name, expect) in [
            ("HealthMailbox0123456789abcdef0123456789abcdef@fabrikam.example", Some(Noise::Probe)),
            ("FABRIKAM\\HealthMailbox83d6781", Some(Noise::Probe)),
            ("fabrikam\\sm_0123456789abcdef0", Some(Noise::Probe)),
            ("SystemMailbox{1f05a927-89c0-4725-adca-4527114196a1}", Some(Noise::Probe)),
            ("extest_7f3b0c1d2e3f4@fabrikam.example", Some(Noise::Probe)),
            ("DiscoverySearchMailbox+{D919BA05-46A6-415f-80AD-7E09334BB852}", Some(Noise::Probe)),
            ("FABRIKAM\\Migration.8f3e7716-2011-43e4-96b1-aba62d229136", Some(Noise::Probe)),
            ("FABRIKAM\\EX01$", Some(Noise::Machine)),
            ("EX01$@FABRIKAM.EXAMPLE", Some(Noise::Machine)),
            ("NT+AUTHORITY\\SYSTEM", Some(Noise::Machine)),
            ("S-1-5-18", Some(Noise::Machine)),
            ("FABRIKAM\\ada", None),
            ("FABRIKAM\\SM_Smith", None),
            ("FABRIKAM\\SM_Dad", None),
            ("migration.team@fabrikam.example", None),
            ("extest_ernal", None),
            ("HealthMailboxAdmin", None),
            ("S-1-5-21-1-2-3-1104", None),
            ("SYSTEM", None),
            ("\\", None),
        ] {
            assert_eq!(noise(name.as_bytes(), b"-", b"203.0.113.7", b"/owa/"), expect, "{name}");
        }
    }

    #[test]
    fn without_a_name_agent_address_and_stem_tell() {
        for (agent, c_ip, stem, expect) in [
            ("AMProbe/Local/ClientAccess", "10.0.0.1", "/owa/", Some(Noise::Probe)),
            ("Ews_AM_Probe/Local", "10.0.0.1", "/ews/", Some(Noise::Probe)),
            ("Odata_PC_Probe/Local", "10.0.0.1", "/api/", Some(Noise::Probe)),
            ("MapiHttpClient", "10.0.0.1", "/mapi/emsmdb/", Some(Noise::Probe)),
            ("TestActiveSyncConnectivity", "10.0.0.1", "/x", Some(Noise::Probe)),
            (
                "Mozilla/4.0+(compatible;+MSIE+9.0;+MSEXCHMON;+ACTIVEMONITORING;+OWACTP)",
                "10.0.0.1",
                "/owa/",
                Some(Noise::Probe),
            ),
            ("-", "127.0.0.1", "/owa/", Some(Noise::Loopback)),
            ("-", "::1", "/owa/", Some(Noise::Loopback)),
            ("-", "::ffff:127.0.0.1", "/owa/", Some(Noise::Loopback)),
            ("-", "FE80::acb6:98d2:41f9:66c7%2", "/owa/", Some(Noise::Loopback)),
            ("kube-probe/1.0", "10.0.0.9", "/mapi/healthcheck.htm", Some(Noise::Healthcheck)),
            ("-", "10.0.0.9", "/owa/exhealth.check", Some(Noise::Healthcheck)),
            ("-", "10.0.0.9", "/owa/healthcheck.htm/x", None),
            ("Apple-iPhone5C2/1104.257", "203.0.113.7", "/owa/", None),
            ("MSRPC", "1270.0.0.1", "/rpc/rpcproxy.dll", None),
            ("", "", "", None),
        ] {
            for absent in ["-", ""] {
                let got =
                    noise(absent.as_bytes(), agent.as_bytes(), c_ip.as_bytes(), stem.as_bytes());
                assert_eq!(got, expect, "{agent} {c_ip} {stem}");
            }
        }
    }

    /// What a client can choose must not hide it.
    #[test]
    fn a_person_cannot_hide() {
        let got = noise(b"FABRIKAM\\ada", b"AMProbe/Local", b"127.0.0.1", b"/owa/healthcheck.htm");
        assert_eq!(got, None);
    }

    #[test]
    fn every_kind_has_its_own_word() {
        let all = [Noise::Probe, Noise::Machine, Noise::Loopback, Noise::Healthcheck];
        let words: std::collections::BTreeSet<_> = all.iter().map(|n| n.word()).collect();
        assert_eq!(words.len(), all.len());
    }
}
