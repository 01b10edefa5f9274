//! What the last night wrote, to what tonight need not be made anew: pages and rows are made of single requests, which the
//! state does not hold, and where nothing changed they are the same bytes.

use super::outputs::is_of_details;
use super::state::State;
use crate::input::{sha256, sha256_of_first};
use crate::readings::pack::{packed, unpacked};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use stillin_reports::plan::Plan;
use stillin_reports::report::Report;
use stillin_reports::{Content, Output, Style};

/// The digest of what was told, and what the outputs of that night were.
const TOLD: &str = "told";
const OUTPUTS: &str = "outputs";

/// Files of the last night by the place of the output that is the same tonight.
pub type Copies = BTreeMap<usize, PathBuf>;

/// Path, what is in it (the word of the output) with the SHA-256 of it, size, and when it was written, in nanoseconds
/// since 1970.
pub type Stamp = (String, (String, String), u64, u64);

/// Of larger outputs size and time have to do, or a quiet night would read them twice. Whoever edits one of them and
/// sets its time back to the nanosecond means to deceive, and can as well edit tonight's.
const HASHED: u64 = 16 << 20;

/// Which outputs tonight are copies of the last ones; `None` if some that needs single requests is not.
pub fn copies(
    state: &State,
    outputs: &[(PathBuf, Output)],
    told: &Report,
    key: Option<&str>,
) -> anyhow::Result<Option<Copies>> {
    // Pseudonyms are made where everything is read.
    let is_wanted = |output| key.is_some() || is_of_details(output);
    let wanted = (0..).zip(outputs).filter(|(_, (_, output))| is_wanted(*output));
    let wanted: Vec<usize> = wanted.map(|(index, _)| index).collect();
    if wanted.is_empty() {
        return Ok(Some(Copies::new()));
    }
    if state.meta(TOLD)?.as_deref() != Some(digest(told, key)?.as_bytes()) {
        return Ok(None);
    }
    let stamps = state.meta(OUTPUTS)?.and_then(|stamps| unpacked::<Vec<Stamp>>(&stamps));
    let stamps = stamps.unwrap_or_default();
    let copy = |index: usize| {
        let before = stamps.get(index)?;
        let path = PathBuf::from(&before.0);
        let now = stamp(&path, &path, outputs.get(index)?.1)?;
        (now == *before).then_some((index, path))
    };
    Ok(wanted.into_iter().map(copy).collect())
}

/// What the next night has to know to tell whether it can copy.
pub fn marks(
    told: &Report,
    key: Option<&str>,
    stamps: &[Stamp],
) -> anyhow::Result<[(&'static str, Vec<u8>); 2]> {
    Ok([(TOLD, digest(told, key)?.into_bytes()), (OUTPUTS, packed(&stamps.to_vec()))])
}

/// What tells a file, which lies somewhere and will be called so, from what somebody else made of it.
pub fn stamp(path: &Path, at: &Path, output: Output) -> Option<Stamp> {
    let metadata = std::fs::metadata(at).ok()?;
    let written = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let nanoseconds = u64::try_from(written.as_nanos()).ok()?;
    let bytes = metadata.len();
    let sha256 = match bytes <= HASHED {
        true => sha256_of_first(at, bytes, 0).ok()??,
        false => String::new(),
    };
    Some((path.to_str()?.to_owned(), (output.word().to_owned(), sha256), bytes, nanoseconds))
}

/// Of what was told, and of the key of its pseudonyms.
fn digest(told: &Report, key: Option<&str>) -> anyhow::Result<String> {
    let mut text = format!("{} {key:?} ", env!("CARGO_PKG_VERSION")).into_bytes();
    let plan = Plan::of(told);
    let content = Content::of(told, &plan);
    stillin_reports::write(content, Output::Json, Style::default(), &mut text)?;
    Ok(sha256(&text))
}
