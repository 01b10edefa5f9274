//! `applicationHost.config`, the configuration of IIS, to its sites, their applications, and what each of them lets
//! clients log on with (DOMAIN.md 1.3, 2.1).
//!
//! Forms do not show in it: OWA and ECP simply have Basic on. The form is a setting of the directory, and Exchange's
//! own module turns its cookie into the Basic header that IIS takes (DOMAIN.md 0).

mod elements;
mod inherit;

use crate::event::{Fact, Pos, Reason, Reject};
use crate::evidence::{Sink, Tally};
use crate::exchange::{is_back_end, route};
use elements::Reading;
use memchr::{memchr_iter, memmem};
use quick_xml::Reader;
use std::fmt;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Its sites, in order.
    pub sites: Vec<Site>,
}

/// A site of IIS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Its number, as in `W3SVC1`.
    pub id: u64,
    /// Ports of its HTTP and HTTPS bindings.
    pub ports: Vec<u16>,
    /// The folder of its logs, where the file tells it.
    pub log_directory: Option<String>,
    /// Its applications, and paths below them that have settings of their own.
    pub directories: Vec<VirtualDirectory>,
}

/// An application, or a path below one that has settings of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualDirectory {
    /// Where the application stands; for a path below it, where the settings do.
    pub pos: Pos,
    /// Name of its site.
    pub site: String,
    /// Path within the site, `/owa`.
    pub path: String,
    /// Application pool it runs in.
    pub pool: String,
    /// What clients may log on with.
    pub methods: Methods,
}

impl fmt::Display for VirtualDirectory {
    /// `Default Web Site/EWS (MSExchangeServicesAppPool): anonymous + windows (negotiate + ntlm)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} ({}): {}", self.site, self.path, self.pool, self.methods)
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |flags: &[(bool, &'static str)]| {
            let on = flags.iter().filter(|(is_on, _)| *is_on).map(|(_, word)| *word);
            on.collect::<Vec<_>>().join(" + ")
        };
        let windows = [
            (self.negotiate, "negotiate"),
            (self.ntlm, "ntlm"),
            (self.auth_persist_non_ntlm, "authPersistNonNTLM"),
        ];
        let methods =
            [(self.anonymous, "anonymous"), (self.basic, "basic"), (self.windows, "windows")];
        match (on(&methods), self.windows) {
            (methods, true) => write!(f, "{methods} ({})", on(&windows)),
            (methods, false) if methods.is_empty() => f.write_str("none"),
            (methods, false) => f.write_str(&methods),
        }
    }
}

/// What clients may log on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Methods {
    /// No logon is needed.
    pub anonymous: bool,
    /// Basic, and with it forms.
    pub basic: bool,
    /// Windows authentication.
    pub windows: bool,
    /// Its provider Negotiate.
    pub negotiate: bool,
    /// Its provider NTLM.
    pub ntlm: bool,
    /// A connection that logged on with Kerberos stays logged on.
    pub auth_persist_non_ntlm: bool,
}

impl Site {
    /// Whether it is the one that front ends pass requests on to; as for the lines of logs, its ports decide.
    pub fn is_back_end(&self) -> bool {
        let on = |port| is_back_end(port, self.name.as_bytes(), b"");
        if self.ports.is_empty() { on(None) } else { self.ports.iter().all(|&port| on(Some(port))) }
    }
}

/// Is it `applicationHost.config`? `web.config` has the same root, but no sites.
pub fn sniff(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    head.starts_with(b"<")
        && memmem::find(head, b"<configuration").is_some()
        && memmem::find(head, b"system.applicationHost").is_some()
}

/// What front ends of Exchange let clients log on with: a fact for each of their directories.
pub fn facts(bytes: &[u8], sink: &mut Sink<'_>) -> Tally {
    let mut tally = Tally::default();
    let config = match config(bytes) {
        Ok(config) => config,
        Err(reject) => {
            (tally.records, tally.rejected) = (1, 1);
            sink(Err(reject));
            return tally;
        }
    };
    for site in config.sites {
        let is_back_end = site.is_back_end();
        for directory in site.directories {
            tally.records += 1;
            if is_back_end || route(directory.path.as_bytes()).pool.is_empty() {
                tally.of_no_interest += 1;
            } else {
                tally.told += 1;
                sink(Ok(Fact::VirtualDirectory(directory)));
            }
        }
    }
    tally
}

/// Reads the whole file. Settings are inherited, so half a file says nothing: what is wrong with it is wrong with
/// all of it.
pub fn config(bytes: &[u8]) -> Result<Config, Reject> {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut reading = Reading::default();
    let mut line = Lines { text: text.as_bytes(), counted: 0, line: 1 };
    loop {
        let pos = Pos::Line(line.of(reader.buffer_position()));
        let token = reader.read_event().map_err(|error| format!("XML: {error}"));
        match token.and_then(|token| reading.take(pos, token)) {
            Ok(true) => {}
            Ok(false) => return reading.finish().map_err(|what| reject(pos, &what)),
            Err(what) => return Err(reject(pos, &what)),
        }
    }
}

fn reject(pos: Pos, what: &str) -> Reject {
    let cure = r"copy it again, from %windir%\System32\inetsrv\config";
    Reject { pos, reason: Reason::Format(format!("{what}; {cure}")) }
}

/// Counts lines up to places that only grow.
struct Lines<'a> {
    text: &'a [u8],
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, at: u64) -> u64 {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let passed = self.text.get(self.counted..at).unwrap_or_default();
        self.line += memchr_iter(b'\n', passed).count() as u64;
        self.counted = self.counted.max(at);
        self.line
    }
}

#[cfg(test)]
mod tests;
