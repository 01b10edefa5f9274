//! Any columns of a request: nobody is served without a name or by a 401, nothing moves but in a
//! 2xx, and nothing that a client can choose makes noise of a person; and the vector code takes names apart and counts
//! texts as the plain code does.
#![no_main]

use stillin_parsers::exchange::{Outcome, command, device_id, moves_data, noise, outcome, route};
use stillin_parsers::vectors::{LocalPart, Vectors};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (status, [name, method, stem, query, agent, c_ip]) = stillin_parsers_fuzz::request(bytes);
    let protocol = route(stem).protocol;
    let served = outcome(protocol, name, method, stem, query, status) == Outcome::Served;
    assert!(!served || !(matches!(name, b"" | b"-") || status.sc_status == 401));
    let moved = moves_data(protocol, command(protocol, method, stem, query), method, stem, query, status.sc_status).moved();
    assert!(!moved || (200..300).contains(&status.sc_status));
    assert!(device_id(protocol, query).is_none_or(|id| !id.is_empty()));
    let _ = (command(protocol, method, stem, query), noise(name, agent, c_ip, stem));
    assert_eq!(noise(b"ada", agent, c_ip, stem), None);

    let (fast, plain) = (Vectors::best(), Vectors::none());
    let part = LocalPart::of(name, fast);
    assert_eq!(part, LocalPart::of(name, plain));
    let is_noise = !matches!(name, b"" | b"-") && noise(name, agent, c_ip, stem).is_some();
    assert!(!is_noise || part.may_be_noise(name));
    assert_eq!(fast.hash(agent), plain.hash(agent));
});
