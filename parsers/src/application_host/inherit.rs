//! Settings by place to what holds for a path: the nearest place that says something wins, attribute by attribute.

use super::Methods;
use crate::event::Pos;
use std::collections::BTreeMap;

/// What one place says; `None` where it leaves that to the one above.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layer {
    pub(super) anonymous: Option<bool>,
    pub(super) basic: Option<bool>,
    pub(super) windows: Option<bool>,
    pub(super) negotiate: Option<bool>,
    pub(super) ntlm: Option<bool>,
    pub(super) auth_persist_non_ntlm: Option<bool>,
}

impl Layer {
    pub(super) fn over(self, above: Layer) -> Layer {
        Layer {
            anonymous: self.anonymous.or(above.anonymous),
            basic: self.basic.or(above.basic),
            windows: self.windows.or(above.windows),
            negotiate: self.negotiate.or(above.negotiate),
            ntlm: self.ntlm.or(above.ntlm),
            auth_persist_non_ntlm: self.auth_persist_non_ntlm.or(above.auth_persist_non_ntlm),
        }
    }

    /// With the defaults of IIS's own schema for what no place says.
    fn methods(self) -> Methods {
        Methods {
            anonymous: self.anonymous.unwrap_or(true),
            basic: self.basic.unwrap_or(false),
            windows: self.windows.unwrap_or(false),
            negotiate: self.negotiate.unwrap_or(false),
            ntlm: self.ntlm.unwrap_or(false),
            auth_persist_non_ntlm: self.auth_persist_non_ntlm.unwrap_or(false),
        }
    }
}

/// What is said at one place.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Where that is first said.
    pub(super) line: Option<Pos>,
    /// For the place and all below it.
    pub(super) for_all: Layer,
    /// With `inheritInChildApplications="false"`: not for applications below it.
    pub(super) for_own: Layer,
}

/// All places, by path without regard to case: none for all of IIS, `default web site`, `default web site/owa`.
#[derive(Debug, Default)]
pub(super) struct Places(pub(super) BTreeMap<String, Place>);

impl Places {
    /// What holds at a path of the application at `application`, both as [`key`] gives them.
    pub(super) fn methods(&self, path: &str, application: &str) -> Methods {
        let ends = path.match_indices('/').map(|(at, _)| at);
        let mut sum = Layer::default();
        for end in [0].into_iter().chain(ends).chain([path.len()]) {
            let Some(place) = path.get(..end).and_then(|above| self.0.get(above)) else { continue };
            sum = place.for_all.over(sum);
            if end >= application.len() {
                sum = place.for_own.over(sum);
            }
        }
        sum.methods()
    }

    /// The paths below a site that something is said of, as [`key`] gives them, without the site.
    pub(super) fn below(&self, site: &str) -> impl Iterator<Item = (String, &Place)> {
        let start = format!("{site}/");
        self.0
            .range(start.clone()..)
            .map_while(move |(path, place)| Some((path.strip_prefix(&start)?.to_owned(), place)))
    }
}

/// A site and a path in it, as one key.
pub(super) fn key(site: &str, path: &str) -> String {
    let path = [site, path].join("/");
    let segments = path.split('/').filter(|segment| !matches!(*segment, "" | "."));
    segments.map(str::to_lowercase).collect::<Vec<_>>().join("/")
}
