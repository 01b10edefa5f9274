//! A file into the key of pseudonyms, and a text into its hash under that key.

use crate::input::refused;
use anyhow::{Context, anyhow, bail};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Shorter ones could be guessed.
const LEAST: usize = 32;
/// Longer ones are no keys, and `/dev/urandom` never ends.
const MOST: usize = 1 << 20;
/// Bytes of a hash that are shown: among 100,000 names two have the same with a probability of 1 in 50,000.
const SHOWN: usize = 6;
/// What the hashes are made for, so that the key may serve for other things, too.
const PURPOSE: &str = "stillin/pseudonym/1";
const CURE: &str = "`openssl rand -hex 32 > FILE` makes one; keep it, and keep it secret";

/// A key that is long enough.
pub struct Key(Hmac<Sha256>);

/// Reads it; the file is only read.
pub fn read(path: &Path) -> anyhow::Result<Key> {
    let name = path.display();
    let bytes = bytes(path).map_err(|error| {
        anyhow!("--pseudonymize {name}: cannot read the key: {}; {CURE}", refused(error))
    })?;
    of_bytes(&bytes).with_context(|| format!("--pseudonymize {name}"))
}

fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A key of these bytes, whatever they are: a line's end is one of them.
pub fn of_bytes(bytes: &[u8]) -> anyhow::Result<Key> {
    if bytes.len() < LEAST {
        bail!("a key of {} bytes can be guessed, {LEAST} are needed; {CURE}", bytes.len());
    }
    if bytes.len() > MOST {
        bail!("too large for a key; {CURE}");
    }
    if bytes.iter().all(|byte| *byte == bytes[0]) {
        bail!("one byte over and over is no key; {CURE}");
    }
    Ok(Key(Hmac::new_from_slice(bytes)?))
}

impl Key {
    /// The hash of a text of some kind.
    pub fn hash(&self, kind: &str, text: &str) -> String {
        let mut mac = self.0.clone();
        for part in [PURPOSE, kind, text] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        let hash = mac.finalize().into_bytes();
        hash.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect()
    }
}
