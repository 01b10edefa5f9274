//! A file of settings, TOML, into the values it gives, each with its line; what is wrong with it, with file and line.

use super::{Given, Known, Whence, check, key_of, meant, shown};
use crate::input::refused;
use crate::nightly::settings;
use anyhow::{Context, anyhow, bail};
use clap::{ArgAction, Command};
use std::collections::BTreeMap;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The table that is the verb's own of that name: it reads that itself, but a slip in it is one for all verbs.
const NIGHTLY: &str = "nightly";

/// What a file gives, by key.
pub fn read(
    path: &Path,
    known: &[Known],
    command: &Command,
) -> anyhow::Result<BTreeMap<String, Given>> {
    let name = shown(path);
    let text = text(path)?;
    values(&text, &name, known, command)
}

/// The text of a file, without the mark that Notepad writes, and in whichever encoding PowerShell does.
pub fn text(path: &Path) -> anyhow::Result<String> {
    let name = shown(path);
    let bytes =
        std::fs::read(path).map_err(refused).with_context(|| format!("cannot read {name}"))?;
    // By its mark; without one it is UTF-8.
    let (text, _, is_damaged) = encoding_rs::UTF_8.decode(&bytes);
    if is_damaged {
        bail!("{name}: is no text; save it as UTF-8");
    }
    Ok(text.into_owned())
}

/// The same of its text.
pub fn values(
    text: &str,
    name: &str,
    known: &[Known],
    command: &Command,
) -> anyhow::Result<BTreeMap<String, Given>> {
    let line = |at: usize| 1 + text[..at.min(text.len())].matches('\n').count();
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        anyhow!("{name}:{}: no TOML: {}", line(at), error.message().replace('\n', ", "))
    })?;
    // In the order of the file, so that the first thing that is wrong is the first that is told.
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut given = BTreeMap::new();
    for (key, value) in entries {
        let place = format!("{name}:{}", line(key.span().start));
        let key = key.get_ref().as_ref();
        if key == NIGHTLY {
            let DeValue::Table(nightly) = value.get_ref() else {
                bail!("{place}: `{key}` is a table: [{key}]");
            };
            settings::check(name, text, nightly)?;
            continue;
        }
        let Some(known) = known.iter().find(|known| known.key == key) else {
            bail!("{place}: {}", unknown(key, known, command));
        };
        let values = words(value, known)
            .and_then(|values| check(known, &values).map(|()| values))
            .map_err(|what| anyhow!("{place}: {key} = {}: {what}", &text[value.span()]))?;
        given.insert(key.to_owned(), Given { values, from: Whence::File(place) });
    }
    Ok(given)
}

/// What is wrong with a key that is none, and what may be meant.
fn unknown(key: &str, known: &[Known], command: &Command) -> String {
    let options = command.get_subcommands().flat_map(Command::get_arguments);
    let mut options = options.chain(command.get_arguments()).filter_map(key_of);
    let plain = key.replace('-', "_");
    let keys = || known.iter().map(|known| known.key.as_str());
    if keys().all(|known| known != plain) && options.any(|option| option == plain) {
        return format!("`{key}` is no setting: it is said on the command line alone");
    }
    match meant(key, keys().chain([NIGHTLY])) {
        Some(meant) => format!("unknown key `{key}`; did you mean `{meant}`?"),
        None => format!("unknown key `{key}`; one of {}", keys().collect::<Vec<_>>().join(", ")),
    }
}

/// A value as it would be written behind its flag.
fn words(value: &Spanned<DeValue<'_>>, known: &Known) -> Result<Vec<String>, String> {
    let is_flag = matches!(known.arg.get_action(), ArgAction::SetTrue);
    let one = |value: &DeValue<'_>| match value {
        DeValue::String(text) if !is_flag => Ok(text.to_string()),
        DeValue::Integer(number) if !is_flag => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            number.map(|number| number.to_string()).map_err(|error| error.to_string())
        }
        DeValue::Boolean(word) if is_flag => Ok(word.to_string()),
        _ if is_flag => Err("say true or false".to_owned()),
        DeValue::Float(_) => {
            Err("say a whole number, or as text a time with its unit, \"90s\"".to_owned())
        }
        _ => Err("say it as text, in quotes".to_owned()),
    };
    match value.get_ref() {
        DeValue::Array(list) if matches!(known.arg.get_action(), ArgAction::Append) => {
            list.iter().map(|value| one(value.get_ref())).collect()
        }
        DeValue::Array(_) => Err("say one value".to_owned()),
        value => Ok(vec![one(value)?]),
    }
}
