//! What readings depend on beside the files and the accounts, to which of those that the state has are of use.

use super::settings::Settings;
use super::state::{self, State};
use crate::readings::pack::FORM;
use rusqlite::Transaction;
use stillin_parsers::kind::Kind;

/// The keys of the state.
const FORM_KEY: &str = "form";
const FORMAT: &str = "format";
const ZONE: &str = "zone";

/// How this run writes readings.
pub struct Format {
    /// How they are packed.
    form: String,
    /// What reads them.
    format: String,
    /// What times without a zone are taken for.
    zone: String,
}

/// Which readings of the state are of use.
#[derive(Debug, Clone, Copy)]
pub struct Usable {
    /// They can be unpacked.
    pub form: bool,
    format: bool,
    zone: bool,
}

impl Format {
    /// By the settings.
    pub fn of(settings: &Settings) -> Format {
        let reading = &settings.analyze.reading;
        Format {
            form: FORM.to_string(),
            format: format!("{} {:?}", env!("CARGO_PKG_VERSION"), reading.hash),
            zone: format!("{:?} {:?}", reading.tz, reading.date_order),
        }
    }

    /// Compared with what the state was written by.
    pub fn usable(&self, state: &State) -> anyhow::Result<Usable> {
        let is = |key, own: &str| -> anyhow::Result<bool> {
            Ok(state.meta(key)?.as_deref() == Some(own.as_bytes()))
        };
        let form = is(FORM_KEY, &self.form)?;
        Ok(Usable { form, format: form && is(FORMAT, &self.format)?, zone: is(ZONE, &self.zone)? })
    }

    /// Writes it down.
    pub fn write(&self, to: &Transaction<'_>) -> rusqlite::Result<()> {
        state::set_meta(to, FORM_KEY, self.form.as_bytes())?;
        state::set_meta(to, FORMAT, self.format.as_bytes())?;
        state::set_meta(to, ZONE, self.zone.as_bytes())
    }
}

impl Usable {
    /// All of them, as if this run had read them.
    pub fn is_all(self) -> bool {
        self.format && self.zone
    }

    /// Those of a source of a kind that is there.
    pub fn is(self, kind: Kind) -> bool {
        self.format && (self.zone || !has_local_times(kind))
    }

    /// Those of one that is not there any more: what another version read of it is better than nothing.
    pub fn is_last(self, kind: Kind) -> bool {
        self.form && (self.zone || !has_local_times(kind))
    }
}

/// Whether sources of a kind may have times without a zone.
fn has_local_times(kind: Kind) -> bool {
    match kind {
        Kind::EventJson | Kind::EventCsv | Kind::AdCsv | Kind::ReplMetadata | Kind::ChangeList => {
            true
        }
        Kind::IisW3c | Kind::Httperr | Kind::HttpProxy | Kind::EwsLog | Kind::MapiLog => false,
        Kind::Evtx | Kind::EventXml | Kind::Ldif | Kind::IisConfig | Kind::Unknown => false,
    }
}
