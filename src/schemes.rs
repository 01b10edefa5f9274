//! `--auth` and the configurations of IIS to what the pool of each key lets clients log on with, where that is known
//! better than by Exchange's defaults (DOMAIN.md 2.1).
//!
//! A configuration is of the time when it was copied. What a log shows to have been otherwise is not believed.

use crate::collect::book::{Access, Book, Key};
use crate::collect::names::host_name;
use std::collections::{BTreeMap, BTreeSet};
use stillin_parsers::application_host::VirtualDirectory;
use stillin_parsers::exchange::{Auth, Refusal, Scheme, route};

/// What a pool lets clients log on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// With what; [`Scheme::Unknown`] is known to be neither Basic nor Windows authentication.
    pub scheme: Scheme,
    /// Who says so.
    pub by: By,
}

/// Who says what a pool lets clients log on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `--auth`
    Option,
    /// A configuration, an index into the files.
    File(usize),
    /// Other requests of the pool, where Exchange's default says less than they show.
    Logs,
}

/// What is known of all keys.
#[derive(Debug, Default)]
pub struct Settings {
    /// By the index of the key; `None` where Exchange's default is all there is.
    pub of_key: Vec<Option<Setting>>,
    /// What is not used, and why; what else the reader has to know.
    pub notes: Vec<String>,
}

/// A pool of `--auth` and what it takes.
pub type Told = (&'static str, Scheme);

/// A configuration that was read.
#[derive(Debug, Clone, Copy)]
pub struct Configuration<'a> {
    /// Index of its file.
    pub source: usize,
    /// Path of its file.
    pub path: &'a str,
    /// What it says.
    pub directories: &'a [VirtualDirectory],
}

/// Settings by server, or by no server where one holds for all, and pool.
type Table<'a> = BTreeMap<(Option<String>, &'static str), (Scheme, Configuration<'a>)>;

/// What is known of every key of the book. `servers` are those that the logs know, `fallback` is the one of
/// `--server`.
pub fn settings(
    told: &[Told],
    configurations: &[Configuration<'_>],
    servers: &BTreeSet<&str>,
    fallback: Option<&str>,
    book: &Book,
) -> Settings {
    let mut notes = Vec::new();
    let table = table(configurations, servers, fallback, &mut notes);
    let shown = shown(book);
    let mut refuted: BTreeSet<String> = BTreeSet::new();
    let of_key = |key: &Key| {
        let by_option = told.iter().find(|(pool, _)| *pool == key.pool);
        let by_option = by_option.map(|&(_, scheme)| (scheme, By::Option, "--auth"));
        let by_file = |server: Option<&String>| {
            let (scheme, file) = table.get(&(server.cloned(), key.pool))?;
            Some((*scheme, By::File(file.source), file.path))
        };
        let setting = by_option.or_else(|| by_file(Some(&key.server))).or_else(|| by_file(None));
        let shown = shown.get(&(key.server.as_str(), key.pool)).copied().unwrap_or_default();
        let Some((scheme, by, whence)) = setting else {
            return shown.more_than_default(key.scheme);
        };
        match shown.refutes(scheme) {
            None => Some(Setting { scheme, by }),
            Some(method) => {
                refuted.insert(format!(
                    "{}: {}: by {whence} nobody can log on with {method}, and yet a log shows that somebody did or \
                     tried to, so that is not used there; it may be of another time",
                    key.server, key.pool
                ));
                shown.more_than_default(key.scheme)
            }
        }
    };
    let of_key = book.keys.iter().map(of_key).collect();
    notes.extend(refuted);
    Settings { of_key, notes }
}

/// What the configurations say, each for its own server.
fn table<'a>(
    configurations: &[Configuration<'a>],
    servers: &BTreeSet<&str>,
    fallback: Option<&str>,
    notes: &mut Vec<String>,
) -> Table<'a> {
    let mut table = Table::new();
    let mut disagreeing: BTreeSet<(Option<String>, &'static str)> = BTreeSet::new();
    for configuration in configurations {
        let path = configuration.path;
        let server = folder_of(path, servers).or(fallback.map(host_name));
        match (&server, configurations.len()) {
            (Some(_), _) => {}
            (None, 1) => notes.push(format!(
                "{path}: no folder names its server, so it is taken for that of all servers; put it into a folder \
                 with the name of its server"
            )),
            (None, _) => {
                notes.push(format!(
                    "{path}: no folder names its server, and it is not the only one, so it is not used; put it into a \
                     folder with the name of its server"
                ));
                continue;
            }
        }
        notes.extend(other_pools(configuration));
        for (pool, scheme) in taken(configuration.directories) {
            let place = (server.clone(), pool);
            match table.get(&place) {
                Some((known, other)) if *known != scheme => {
                    if disagreeing.insert(place) {
                        notes.push(format!(
                            "{path}: says of {pool} other than {}, so neither is used for it; leave out the older one",
                            other.path
                        ));
                    }
                }
                Some(_) => {}
                None => _ = table.insert(place, (scheme, *configuration)),
            }
        }
    }
    table.retain(|place, _| !disagreeing.contains(place));
    table
}

/// The innermost folder that has the name of a server.
fn folder_of(path: &str, servers: &BTreeSet<&str>) -> Option<String> {
    // `!` parts an archive from its members.
    let folders = path.rsplit(['/', '\\', '!']).skip(1);
    let names = folders.map(|folder| host_name(folder.strip_suffix(".zip").unwrap_or(folder)));
    names.into_iter().find(|name| servers.contains(name.as_str()))
}

/// What each pool takes: whatever one of its directories takes.
fn taken(directories: &[VirtualDirectory]) -> BTreeMap<&'static str, Scheme> {
    let mut pools: BTreeMap<&'static str, (bool, bool, Scheme)> = BTreeMap::new();
    for directory in directories {
        let route = route(directory.path.as_bytes());
        // On every server `/owa/Integrated` takes Windows authentication, for other front ends: were it counted, OWA
        // would never be forms.
        let is_below = directory.path.trim_matches('/').contains('/');
        let is_for_clients = route.scheme != Scheme::Forms || !is_below;
        let (basic, windows, _) = pools.entry(route.pool).or_insert((false, false, route.scheme));
        *basic |= directory.methods.basic;
        *windows |= directory.methods.windows && is_for_clients;
    }
    let scheme = |(basic, windows, default)| match (basic, windows) {
        (true, true) => Scheme::BasicAndWindows,
        // To IIS they are the same.
        (true, false) if default == Scheme::Forms => Scheme::Forms,
        (true, false) => Scheme::Basic,
        (false, true) => Scheme::Windows,
        (false, false) => Scheme::Unknown,
    };
    pools.into_iter().map(|(pool, methods)| (pool, scheme(methods))).collect()
}

/// The plan goes by Exchange's own names of pools.
fn other_pools(configuration: &Configuration<'_>) -> Vec<String> {
    let mut other: BTreeMap<&str, &VirtualDirectory> = BTreeMap::new();
    for directory in configuration.directories {
        let pool = route(directory.path.as_bytes()).pool;
        if !directory.pool.eq_ignore_ascii_case(pool) {
            other.entry(pool).or_insert(directory);
        }
    }
    let note = |(pool, directory): (&str, &VirtualDirectory)| {
        format!(
            "{}{}: {} runs in the pool {}, and is told here as {pool}: recycle the one it runs in",
            configuration.path, directory.pos, directory.path, directory.pool
        )
    };
    other.into_iter().map(note).collect()
}

/// What the logs show that somebody logged on with.
#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    basic: bool,
    windows: bool,
}

impl Shown {
    /// The method that cannot be, and is.
    fn refutes(self, scheme: Scheme) -> Option<&'static str> {
        if self.basic && !scheme.has_basic() {
            Some("Basic or forms")
        } else if self.windows && !scheme.has_windows() && scheme != Scheme::Forms {
            Some("Windows authentication")
        } else {
            None
        }
    }

    /// By default clients have Basic alone, and yet somebody logged on with Windows authentication: then so may have
    /// those whose scheme no log tells.
    fn more_than_default(self, default: Scheme) -> Option<Setting> {
        let is_more = self.windows && default == Scheme::Basic;
        is_more.then_some(Setting { scheme: Scheme::BasicAndWindows, by: By::Logs })
    }
}

/// By server and pool of the front ends.
fn shown(book: &Book) -> BTreeMap<(&str, &'static str), Shown> {
    let mut all: BTreeMap<(&str, &'static str), Shown> = BTreeMap::new();
    for access in book.accesses.iter().chain(&book.nameless).filter(|access| !access.is_back_end) {
        let key = book.keys.get(access.key);
        let shown = all.entry((key.server.as_str(), key.pool)).or_default();
        shown.basic |= matches!(access.auth, Auth::Basic | Auth::Forms) || is_turned_down(access);
        shown.windows |= matches!(access.auth, Auth::Ntlm | Auth::Negotiate | Auth::Kerberos);
    }
    all
}

/// Turned down with a password: IIS logs the name that was tried for Basic alone, and the code of Windows for it, not
/// that of a handshake (DOMAIN.md 1.5, 1.6); and there is no logon page without forms.
fn is_turned_down(access: &Access) -> bool {
    let is_handshake = access.sc_win32_status.is_none_or(|code| code >= 1 << 31);
    let is_logon_failed = (access.sc_status, access.sc_substatus) == (401, Some(1));
    match access.refusal {
        Some(Refusal::Owa | Refusal::OwaForm) => true,
        Some(_) => access.name.is_some() && is_logon_failed && !is_handshake,
        None => false,
    }
}

#[cfg(test)]
mod tests;
