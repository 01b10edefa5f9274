//! Variables of the environment into the values they give, each with its name; and what is wrong with those that are none.

use super::{FILE_VARIABLE, Given, Known, Whence, check, key_of, meant};
use anyhow::{anyhow, bail};
use clap::{ArgAction, Command};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// How the name of each of them begins.
const PREFIX: &str = "STILLIN_";
/// What others ask for: `recycle`, for its tests.
const NO_SETTINGS: &[&str] = &[FILE_VARIABLE, "STILLIN_APPCMD"];

/// Variables whose name begins as ours do.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<String, OsString>);

impl Variables {
    /// Those of this process. One that is empty says nothing.
    pub fn of_process() -> Variables {
        Variables::new(std::env::vars_os())
    }

    /// Of these.
    pub fn new(all: impl Iterator<Item = (OsString, OsString)>) -> Variables {
        // To Windows a name in any case is the same.
        let fold = |name: String| if cfg!(windows) { name.to_uppercase() } else { name };
        let named = all.map(|(name, value)| (fold(name.to_string_lossy().into_owned()), value));
        let is_ours = |(name, value): &(String, OsString)| {
            let head = name.get(..PREFIX.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(PREFIX)) && !value.is_empty()
        };
        Variables(named.filter(is_ours).collect())
    }

    /// One of them by its name.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(name).map(OsString::as_os_str)
    }
}

/// What they say of settings. One that is none, and may be meant to be one, is an error: the run would go by what nobody
/// wanted.
pub fn read(
    known: &[Known],
    command: &Command,
    variables: &Variables,
) -> anyhow::Result<BTreeMap<String, Given>> {
    for name in unknown(known, variables) {
        if let Some(wrong) = wrong(name, known, command) {
            bail!("{name}: {wrong}");
        }
    }
    let mut given = BTreeMap::new();
    for known in known {
        let name = name_of(&known.key);
        let Some(value) = variables.get(&name) else { continue };
        let Some(value) = value.to_str() else { bail!("{name}: is no text; say it in UTF-8") };
        let values: Vec<String> = match known.arg.get_action() {
            ArgAction::Append => value.split(',').map(|one| one.trim().to_owned()).collect(),
            // As other programs are told so, too.
            ArgAction::SetTrue if value == "1" => vec!["true".to_owned()],
            ArgAction::SetTrue if value == "0" => vec!["false".to_owned()],
            _ => vec![value.to_owned()],
        };
        check(known, &values).map_err(|what| anyhow!("{name}={value}: {what}"))?;
        given.insert(known.key.clone(), Given { values, from: Whence::Variable(name) });
    }
    Ok(given)
}

/// Sentences about variables that are none of ours, though they are called so. They may be somebody else's, so they end
/// no run.
pub fn strangers(known: &[Known], command: &Command, variables: &Variables) -> Vec<String> {
    let is_strange = |name: &&str| wrong(name, known, command).is_none();
    let strangers = unknown(known, variables).into_iter().filter(is_strange);
    let says = "says nothing to stillin; `stillin config` lists what can be set";
    strangers.map(|name| format!("{name}: {says}")).collect()
}

fn unknown<'a>(known: &[Known], variables: &'a Variables) -> Vec<&'a str> {
    let is_known = |name: &str| {
        NO_SETTINGS.contains(&name) || known.iter().any(|known| name_of(&known.key) == name)
    };
    variables.0.keys().map(String::as_str).filter(|name| !is_known(name)).collect()
}

/// What is wrong with a variable that is none, if it may be meant for us.
fn wrong(name: &str, known: &[Known], command: &Command) -> Option<String> {
    let key = name.get(PREFIX.len()..).unwrap_or_default().to_lowercase();
    let keys = || known.iter().map(|known| known.key.as_str()).chain(["config"]);
    let options = command.get_subcommands().flat_map(Command::get_arguments);
    let mut options = options.filter_map(key_of);
    if keys().all(|known| known != key) && options.any(|option| option == key) {
        return Some("is no setting: it is said on the command line alone; unset it".to_owned());
    }
    let meant = meant(&key, keys())?;
    Some(format!("unknown variable; did you mean {}?", name_of(meant)))
}

/// The variable of a key.
fn name_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase())
}
