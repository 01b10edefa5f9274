//! The command line, the environment and a file of settings into one command line: flags over environment over file over
//! defaults, and where each value comes from.
//!
//! A setting is what `stillin config` takes as an option; it holds for every verb that has an option of that name. Only
//! what says how sources are read and judged is one: no path of an input or an output, nothing that narrows what is
//! looked at, and nothing that makes `recycle` act, for nobody would see that it was said.

mod environment;
mod file;

pub use environment::Variables;
pub use file::text;

use crate::analyze::outputs;
use crate::cli::{Analyze, Cli, Verb};
use crate::messages::Messages;
use anyhow::bail;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use stillin_reports::settings::{SCHEMA, Setting, Settings};
use stillin_reports::settings_page;

/// The verb that has all settings for options.
const VERB: &str = "config";
/// Its options that are no settings.
const ITS_OWN: &[&str] = &["format", "config"];
/// Options that bear the name of a setting and mean something else: `recycle --server` takes a part of the plan.
const OTHERS: &[(&str, &str)] = &[("recycle", "server")];
/// Settings that a verdict may hang on, so that the report has to name them.
const JUDGING: &[&str] = &["ttl", "slack", "auth", "tz", "date_order", "server"];
/// The file that is read though nobody names it.
const HERE: &str = "stillin.toml";
/// The variable that names a file.
const FILE_VARIABLE: &str = "STILLIN_CONFIG";
/// So alike have an unknown word and a known one to be for one to be meant by the other.
const ALIKE: f64 = 0.8;
/// Of words of so many letters one that is wrong, missing, too many or swapped is a slip, however short they are.
const SHORT: usize = 3;

/// What a run goes by though its command line did not say it.
#[derive(Debug, Clone, Default)]
pub struct Unsaid {
    /// The file of settings: it is no source.
    pub file: Option<PathBuf>,
    /// What a verdict may hang on: `ttl=1h (stillin.toml:3)`.
    pub judging: Vec<String>,
}

/// The command line with everything it did not say.
pub struct CommandLine {
    /// What to do.
    pub cli: Cli,
    /// Every setting that this verb has, in the order of `config`.
    settings: Settings,
    /// What is said of settings that were not said, and of variables that are none.
    told: Vec<String>,
}

/// A setting that there is.
struct Known {
    key: String,
    arg: Arg,
}

/// Values that were given beside the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    values: Vec<String>,
    from: Whence,
}

/// Where they were.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whence {
    Variable(String),
    File(String),
}

impl Whence {
    fn place(&self) -> &str {
        let (Whence::Variable(place) | Whence::File(place)) = self;
        place
    }

    fn word(&self) -> &'static str {
        match self {
            Whence::Variable(_) => "environment",
            Whence::File(_) => "file",
        }
    }
}

/// Reads all three. Help, and what is wrong with the command line itself, is an error of clap's.
pub fn command_line(words: &[OsString], variables: &Variables) -> anyhow::Result<CommandLine> {
    let plain = Cli::command().try_get_matches_from(words)?;
    let (verb, said) = plain.subcommand().unwrap_or(("", &plain));
    let known = known();
    let command = Cli::command();
    let has = |known: &&Known| is_setting_of(&command, verb, &known.arg);
    let of_verb: Vec<&Known> = known.iter().filter(has).collect();
    if of_verb.is_empty() {
        let mut cli = Cli::from_arg_matches(&plain)?;
        if let Verb::History(args) = &mut cli.verb {
            args.config = file_of(args.config.as_deref(), variables);
        }
        let settings = Settings { schema: SCHEMA, file: None, settings: Vec::new() };
        return Ok(CommandLine { cli, settings, told: Vec::new() });
    }
    let file = file_of(said.get_one::<PathBuf>("config").map(PathBuf::as_path), variables);
    let mut given = match &file {
        Some(file) => file::read(file, &known, &command)?,
        None => BTreeMap::new(),
    };
    given.extend(environment::read(&known, &command, variables)?);
    let strangers = environment::strangers(&known, &command, variables);
    let command = command.mut_subcommand(verb, |command| with_defaults(command, &of_verb, &given));
    let matches = command.try_get_matches_from(words)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    let said = matches.subcommand_matches(verb).unwrap_or(&matches);
    let settings: Vec<Setting> =
        of_verb.iter().map(|known| setting(known, said, given.get(&known.key))).collect();
    let told = told(&settings);
    if let Verb::Nightly(args) = &mut cli.verb {
        args.config = file.clone();
    }
    if let Some(reading) = cli.verb.reading_mut() {
        let judging = settings.iter().filter(|setting| JUDGING.contains(&setting.key.as_str()));
        reading.unsaid = Unsaid { judging: unsaid(judging), file: file.clone() };
    }
    let told = strangers
        .into_iter()
        .filter(|_| !is_quiet(&settings))
        .chain(told.filter(|_| !is_silent(&settings, said, variables)))
        .collect();
    let file = file.map(|file| shown(&file));
    let settings = Settings { schema: SCHEMA, file, settings };
    Ok(CommandLine { cli, settings, told })
}

/// The file of settings of a verb that cannot do without one.
pub fn file_or_here(file: Option<&Path>) -> PathBuf {
    file.unwrap_or(Path::new(HERE)).to_path_buf()
}

/// How `analyze` would read and judge by a file and the environment.
pub fn analyze_by(file: &Path) -> anyhow::Result<Analyze> {
    let words = ["stillin", "analyze", "-", "--config"].map(OsString::from);
    let words: Vec<OsString> = words.into_iter().chain([file.into()]).collect();
    match command_line(&words, &Variables::of_process())?.cli.verb {
        Verb::Analyze(analyze) => Ok(analyze),
        _ => bail!("{}: says another verb", shown(file)),
    }
}

impl CommandLine {
    /// Says on the error stream what is in force though it was not said here.
    pub fn tell(&self) {
        let messages = Messages::new(false);
        self.told.iter().for_each(|told| messages.note(told));
    }

    /// Runs `stillin config`.
    pub fn print(&self, args: &crate::cli::Config) -> anyhow::Result<ExitCode> {
        let color = args.reading.color;
        let text = settings_page(&self.settings, args.format, outputs::style(color))?;
        outputs::print(&text, color)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Every setting that there is.
fn known() -> Vec<Known> {
    let command = Cli::command();
    let options = command.find_subcommand(VERB).into_iter().flat_map(Command::get_arguments);
    let settings = options.filter(|arg| !ITS_OWN.contains(&arg.get_id().as_str()));
    settings.filter_map(|arg| Some(Known { key: key_of(arg)?, arg: arg.clone() })).collect()
}

/// The key of an option in a file.
fn key_of(arg: &Arg) -> Option<String> {
    arg.get_long().map(|long| long.replace('-', "_"))
}

fn is_setting_of(command: &Command, verb: &str, setting: &Arg) -> bool {
    let long = setting.get_long();
    let has = |command: &Command| command.get_arguments().any(|arg| arg.get_long() == long);
    command.find_subcommand(verb).is_some_and(has)
        && !OTHERS.contains(&(verb, long.unwrap_or_default()))
}

/// The file that is in force, if there is one.
fn file_of(flag: Option<&Path>, variables: &Variables) -> Option<PathBuf> {
    let variable =
        || variables.get(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    // Whatever has that name is meant: a folder or a dangling link is an error, and not nothing.
    let here = || Some(PathBuf::from(HERE)).filter(|path| path.symlink_metadata().is_ok());
    flag.map(Path::to_path_buf).or_else(variable).or_else(here)
}

/// Says in the words of the flag's own error why a setting cannot have these values.
fn check(known: &Known, values: &[String]) -> Result<(), String> {
    let is_list = matches!(known.arg.get_action(), ArgAction::Append);
    if matches!(known.arg.get_action(), ArgAction::SetTrue) {
        let is_one = matches!(values, [value] if value == "true" || value == "false");
        return if is_one { Ok(()) } else { Err("say true or false".to_owned()) };
    }
    if values.len() != 1 && !is_list {
        return Err("say one value".to_owned());
    }
    let long = known.arg.get_long().unwrap_or_default();
    let command = Command::new(VERB).no_binary_name(true).arg(known.arg.clone());
    let words = values.iter().map(|value| format!("--{long}={value}"));
    command.try_get_matches_from(words).map(|_| ()).map_err(|error| reason(&error))
}

/// What clap has against a value, without the flag, for there is none.
fn reason(error: &clap::Error) -> String {
    if let Some(source) = error.source() {
        return source.to_string();
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(words)) => format!("one of {}", words.join(", ")),
        _ => "is no value that it can have".to_owned(),
    }
}

/// A verb under which values that were given are the defaults.
fn with_defaults(command: Command, known: &[&Known], given: &BTreeMap<String, Given>) -> Command {
    command.mut_args(|arg| {
        let setting = known.iter().find(|known| known.arg.get_long() == arg.get_long());
        match setting.and_then(|known| given.get(&known.key)) {
            Some(given) if !given.values.is_empty() => arg.default_values(given.values.clone()),
            _ => arg,
        }
    })
}

/// One setting as it is in force.
fn setting(known: &Known, said: &ArgMatches, given: Option<&Given>) -> Setting {
    let id = known.arg.get_id().as_str();
    let values = said.get_raw(id).into_iter().flatten();
    let values: Vec<String> = values.map(|value| value.to_string_lossy().into_owned()).collect();
    let key = known.key.clone();
    let flag = format!("--{}", known.arg.get_long().unwrap_or_default());
    match (said.value_source(id), given) {
        (Some(ValueSource::CommandLine), _) => {
            // A flag without a value has none that was written.
            let is_flag = matches!(known.arg.get_action(), ArgAction::SetTrue);
            let values = if is_flag { vec!["true".to_owned()] } else { values };
            Setting { key, values, from: "flag", place: Some(flag) }
        }
        (_, Some(given)) => {
            let place = Some(given.from.place().to_owned());
            Setting { key, values: given.values.clone(), from: given.from.word(), place }
        }
        (_, None) => {
            let is_flag = matches!(known.arg.get_action(), ArgAction::SetTrue);
            let values = if is_flag { vec!["false".to_owned()] } else { values };
            Setting { key, values, from: "default", place: None }
        }
    }
}

/// Settings that came from the environment or a file, as the reader is told of them.
fn unsaid<'a>(settings: impl Iterator<Item = &'a Setting>) -> Vec<String> {
    let is_unsaid = |setting: &&Setting| matches!(setting.from, "environment" | "file");
    let words = |setting: &Setting| {
        let place = setting.place.as_deref().unwrap_or_default();
        format!("{}={} ({place})", setting.key, setting.values.join(","))
    };
    settings.filter(is_unsaid).map(words).collect()
}

fn told(settings: &[Setting]) -> Option<String> {
    let words = unsaid(settings.iter());
    let what = "in force beside the command line";
    (!words.is_empty()).then(|| format!("{what}: {}", words.join(", ")))
}

/// Whether the user wants no notes.
fn is_quiet(settings: &[Setting]) -> bool {
    settings.iter().any(|setting| setting.key == "quiet" && setting.values == ["true"])
}

/// Whether he wants none of what is in force, either. A file that nobody named cannot hide itself.
fn is_silent(settings: &[Setting], said: &ArgMatches, variables: &Variables) -> bool {
    let is_of_file = |setting: &Setting| setting.key == "quiet" && setting.from == "file";
    let is_named =
        said.get_one::<PathBuf>("config").is_some() || variables.get(FILE_VARIABLE).is_some();
    is_quiet(settings) && (is_named || !settings.iter().any(is_of_file))
}

/// A path as reports have it.
fn shown(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}

/// The known word that was meant by an unknown one.
pub fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = word.to_lowercase().replace('-', "_");
    let is_slip =
        |known| plain.chars().count() >= SHORT && strsim::osa_distance(&plain, known) == 1;
    let rate = |known| match strsim::jaro_winkler(&plain, known) {
        rate if is_slip(known) => rate.max(ALIKE),
        rate => rate,
    };
    let rated = known.map(|known| (rate(known), known));
    let best = rated.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(rate, _)| *rate >= ALIKE).map(|(_, known)| known)
}

#[cfg(test)]
mod tests;
