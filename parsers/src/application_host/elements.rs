//! Elements and attributes of the file, as they come, to sites, applications and settings by place.

use super::inherit::{Layer, Places, key};
use super::{Config, Site, VirtualDirectory};
use crate::event::Pos;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event as Token};
use std::collections::{BTreeMap, BTreeSet};

/// No path or name is longer, and what is done for each must stay little.
const LONGEST: usize = 260;

/// What has been read so far.
#[derive(Default)]
pub(super) struct Reading {
    /// Names of the open elements, joined by `/`, and how long that is without each of them.
    path: String,
    open: Vec<usize>,
    is_over: bool,
    /// The open `<location>`: its place, and whether it is for child applications as well.
    location: Option<(String, bool)>,
    places: Places,
    sites: Vec<(Site, Vec<Application>)>,
    /// Names and ids that are taken.
    taken: BTreeSet<String>,
    /// `applicationDefaults` of all sites and of the open one, and the same for `logFile`.
    pool: Option<String>,
    log_directory: Option<String>,
    pool_of_site: Option<String>,
}

struct Application {
    pos: Pos,
    path: String,
    pool: Option<String>,
}

impl Reading {
    /// Takes what comes next; false at the end of the file.
    pub(super) fn take(&mut self, pos: Pos, token: Token<'_>) -> Result<bool, String> {
        match token {
            Token::Start(tag) => {
                if self.is_over {
                    return Err("another document follows the first".into());
                }
                self.open.push(self.path.len());
                if self.open.len() > 1 {
                    self.path.push('/');
                }
                self.path.push_str(tag.local_name().as_ref());
                self.start(pos, &tag)?;
            }
            Token::End(_) => {
                match self.path.as_str() {
                    "configuration/location" => self.location = None,
                    "configuration/system.applicationHost/sites/site" => self.end_site(),
                    _ => {}
                }
                self.path.truncate(self.open.pop().unwrap_or_default());
                self.is_over = self.open.is_empty();
            }
            Token::Eof if self.is_over => return Ok(false),
            Token::Eof => return Err("cut short".into()),
            _ => {}
        }
        Ok(true)
    }

    fn start(&mut self, pos: Pos, tag: &BytesStart<'_>) -> Result<(), String> {
        let Some(below) = self.path.strip_prefix("configuration/") else { return Ok(()) };
        let (in_location, below) = match below.strip_prefix("location/") {
            Some(below) => (true, below),
            None => (false, below),
        };
        if let Some(element) = below.strip_prefix("system.webServer/security/authentication/") {
            let element = element.to_owned();
            return self.authentication(pos, &element, tag);
        }
        if below == "location" {
            let path = attribute(tag, "path")?.unwrap_or_default();
            let is_for_all = flag(tag, "inheritInChildApplications")? != Some(false);
            self.location = Some((checked(key("", &path))?, is_for_all));
        } else if let Some(element) = below.strip_prefix("system.applicationHost/sites/")
            && !in_location
        {
            let element = element.to_owned();
            self.sites(pos, &element, tag)?;
        }
        Ok(())
    }

    /// An element below `<authentication>`.
    fn authentication(
        &mut self,
        pos: Pos,
        element: &str,
        tag: &BytesStart<'_>,
    ) -> Result<(), String> {
        let (path, is_for_all) = self.location.clone().unwrap_or((String::new(), true));
        let mut said = Layer::default();
        match element {
            "anonymousAuthentication" => said.anonymous = flag(tag, "enabled")?,
            "basicAuthentication" => said.basic = flag(tag, "enabled")?,
            "windowsAuthentication" => {
                said.windows = flag(tag, "enabled")?;
                said.auth_persist_non_ntlm = flag(tag, "authPersistNonNTLM")?;
            }
            "windowsAuthentication/providers/clear" => {
                (said.negotiate, said.ntlm) = (Some(false), Some(false));
            }
            "windowsAuthentication/providers/add" | "windowsAuthentication/providers/remove" => {
                let is_there = Some(element.ends_with("add"));
                let provider = attribute(tag, "value")?.unwrap_or_default().to_ascii_lowercase();
                // `Negotiate:Kerberos` is one, too.
                match provider.split(':').next() {
                    Some("negotiate") => said.negotiate = is_there,
                    Some("ntlm") => said.ntlm = is_there,
                    _ => {}
                }
            }
            _ => return Ok(()),
        }
        let place = self.places.0.entry(path).or_default();
        place.line.get_or_insert(pos);
        let layer = if is_for_all { &mut place.for_all } else { &mut place.for_own };
        *layer = said.over(*layer);
        Ok(())
    }

    /// An element below `<sites>`.
    fn sites(&mut self, pos: Pos, element: &str, tag: &BytesStart<'_>) -> Result<(), String> {
        match element {
            "applicationDefaults" => self.pool = name(tag, "applicationPool")?,
            "siteDefaults/logFile" => self.log_directory = name(tag, "directory")?,
            "site" => self.begin_site(tag)?,
            "site/applicationDefaults" => self.pool_of_site = name(tag, "applicationPool")?,
            "site/application" => {
                let path = checked(needed(tag, "path")?)?;
                let pool = name(tag, "applicationPool")?;
                let Some((_, applications)) = self.sites.last_mut() else { return Ok(()) };
                applications.push(Application { pos, path, pool });
            }
            "site/bindings/binding" => {
                let protocol = attribute(tag, "protocol")?.unwrap_or_default();
                if matches!(protocol.as_str(), "http" | "https") {
                    let port = port(&needed(tag, "bindingInformation")?)?;
                    if let Some((site, _)) = self.sites.last_mut() {
                        site.ports.push(port);
                    }
                }
            }
            "site/logFile" => {
                let directory = name(tag, "directory")?;
                if let Some((site, _)) = self.sites.last_mut() {
                    site.log_directory = directory;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn begin_site(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        let name = checked(needed(tag, "name")?)?;
        let id = needed(tag, "id")?;
        let id = id.parse().map_err(|_| "the id of a site is no number".to_owned())?;
        // Settings go by the name, and logs by the id.
        for word in [key(&name, ""), format!("/{id}")] {
            if !self.taken.insert(word) {
                return Err(format!("two sites have the name `{name}` or the id {id}"));
            }
        }
        self.sites.push((Site { name, id, ..Site::default() }, Vec::new()));
        Ok(())
    }

    fn end_site(&mut self) {
        let pool = self.pool_of_site.take();
        for application in self.sites.last_mut().into_iter().flat_map(|(_, list)| list) {
            application.pool = application.pool.take().or_else(|| pool.clone());
        }
    }

    /// What it all comes to.
    pub(super) fn finish(self) -> Result<Config, String> {
        if self.sites.is_empty() {
            return Err("names no site".into());
        }
        let pool = self.pool.unwrap_or_else(|| "DefaultAppPool".into());
        let settle = |(mut site, applications): (Site, Vec<Application>)| {
            site.log_directory = site.log_directory.or_else(|| self.log_directory.clone());
            site.directories = directories(&site.name, applications, &pool, &self.places)?;
            Ok(site)
        };
        let sites: Result<_, String> = self.sites.into_iter().map(settle).collect();
        Ok(Config { sites: sites? })
    }
}

/// The applications of a site, and what is set below them.
fn directories(
    site: &str,
    applications: Vec<Application>,
    pool: &str,
    places: &Places,
) -> Result<Vec<VirtualDirectory>, String> {
    let mut by_path: BTreeMap<String, VirtualDirectory> = BTreeMap::new();
    for Application { pos, path, pool: own } in applications {
        let key = key(site, &path);
        let methods = places.methods(&key, &key);
        let pool = own.unwrap_or_else(|| pool.to_owned());
        let directory = VirtualDirectory { pos, site: site.to_owned(), path, pool, methods };
        if let Some(other) = by_path.insert(key, directory) {
            return Err(format!("two applications at {} of a site", other.path));
        }
    }
    let site_key = key(site, "");
    let mut below = Vec::new();
    for (path, place) in places.below(&site_key) {
        let key = format!("{site_key}/{path}");
        let ends = key.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
        let above = ends.into_iter().rev().find_map(|end| by_path.get_key_value(key.get(..end)?));
        if let (Some((application, of)), Some(pos), false) =
            (above, place.line, by_path.contains_key(&key))
        {
            let methods = places.methods(&key, application);
            let path = format!("/{path}");
            below.push(VirtualDirectory { pos, path, methods, ..of.clone() });
        }
    }
    let mut all: Vec<_> = by_path.into_values().chain(below).collect();
    all.sort_by(|a, b| (a.pos, &a.path).cmp(&(b.pos, &b.path)));
    Ok(all)
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    let bad = |error: &dyn std::fmt::Display| format!("XML: {error}");
    let Some(found) = tag.try_get_attribute(name).map_err(|e| bad(&e))? else { return Ok(None) };
    let value = found.normalized_value(XmlVersion::Implicit1_0).map_err(|e| bad(&e))?;
    Ok(Some(value.into_owned()))
}

fn needed(tag: &BytesStart<'_>, name: &str) -> Result<String, String> {
    let element = tag.local_name();
    attribute(tag, name)?.ok_or_else(|| format!("<{}> has no {name}", element.as_ref()))
}

fn name(tag: &BytesStart<'_>, attribute_name: &str) -> Result<Option<String>, String> {
    attribute(tag, attribute_name)?.map(checked).transpose()
}

fn flag(tag: &BytesStart<'_>, name: &str) -> Result<Option<bool>, String> {
    let Some(word) = attribute(tag, name)? else { return Ok(None) };
    match word.to_ascii_lowercase().as_str() {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(format!("{name} is neither true nor false")),
    }
}

fn checked(name: String) -> Result<String, String> {
    if name.len() > LONGEST { Err("a path or a name is too long".into()) } else { Ok(name) }
}

/// The port of `address:port:host`; an IPv6 address has colons of its own.
fn port(binding: &str) -> Result<u16, String> {
    let port = binding.rsplit(':').nth(1).and_then(|port| port.parse().ok());
    port.ok_or_else(|| "bindingInformation has no port".into())
}
