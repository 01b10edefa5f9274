//! Method, stem and query of a request to its command, to the device that sent it, and to whether
//! mailbox content moved, as far as a W3C log tells (DOMAIN.md 2.1, 2.2, 7.8).

use super::{Protocol, contains, query_value, query_values, segments, strip_prefix};
use crate::eas;
use bstr::{BStr, ByteSlice};
use std::borrow::Cow;

/// What a request moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Data {
    /// Content of a mailbox was read, sent or changed.
    Mailbox,
    /// The address book was read.
    Directory,
    /// Nothing: a poll, configuration, an error.
    None,
    /// The log does not tell. EWS, MAPI and RPC hide what they do in the body.
    Unknown,
}

impl Data {
    /// Counts as a data request; what is unknown does not.
    pub fn moved(self) -> bool {
        matches!(self, Data::Mailbox | Data::Directory)
    }
}

/// The command of a request; empty: none is told. Known words come in their own spelling, others as
/// the client sent them.
///
/// EAS: `Sync`. OWA: the `action=` of `service.svc`, the `ev=` of `ev.owa2`, the page. EWS:
/// `SoapAction=` where 2010 logs it, else the endpoint. RPC: the verb. MAPI: `emsmdb`, `nspi`.
/// The WebDAV of `/exchange` and `/public`: the verb. Else the last part of the stem.
pub fn command<'a>(
    protocol: Protocol,
    cs_method: &'a [u8],
    cs_uri_stem: &'a [u8],
    cs_uri_query: &'a [u8],
) -> &'a BStr {
    let page = || segments(cs_uri_stem).skip(1).last().unwrap_or_default();
    let word = match protocol {
        Protocol::Eas if cs_method.eq_ignore_ascii_case(b"OPTIONS") => {
            eas::Command::Options.word().as_bytes()
        }
        Protocol::Eas => match eas::command(cs_uri_query) {
            Some(command) => command.word().as_bytes(),
            None => query_value(cs_uri_query, "Cmd").unwrap_or_default(),
        },
        Protocol::Ews => soap_action(cs_uri_query).unwrap_or_else(page),
        Protocol::Rpc => cs_method,
        Protocol::Mapi => segments(cs_uri_stem).nth(1).unwrap_or_default(),
        Protocol::Owa if is_web_dav(cs_uri_stem) => cs_method,
        Protocol::Owa => owa_action(cs_uri_query).unwrap_or_else(page),
        _ => page(),
    };
    let actions = match protocol {
        Protocol::Owa => OWA_ACTIONS,
        Protocol::Ews => EWS_ACTIONS,
        _ => &[],
    };
    BStr::new(action(actions, word).map_or(word, |row| row.0.as_bytes()))
}

/// Whether a command is a word of Exchange or HTTP; else it may be anything that a client sent.
pub fn is_known_command(word: &str) -> bool {
    let is = |verbs: &[&str]| verbs.iter().any(|verb| verb.eq_ignore_ascii_case(word));
    let has = |actions| action(actions, word.as_bytes()).is_some();
    eas::Command::from_word(word.as_bytes()).is_some()
        || has(OWA_ACTIONS)
        || has(EWS_ACTIONS)
        || is(MOVING_VERBS)
        || is(POLLING_VERBS)
        || is(&["GET", "POST", "RPC_IN_DATA", "RPC_OUT_DATA", "emsmdb", "nspi"])
}

/// `action=` of `service.svc`, `ev=` of `ev.owa` and `ev.owa2`, `ae=` of the pages before 2013.
fn owa_action(cs_uri_query: &[u8]) -> Option<&[u8]> {
    ["action", "ev", "ae"]
        .iter()
        .filter_map(|key| query_value(cs_uri_query, key))
        .find(|value| !value.is_empty())
}

/// `SoapAction=GetItemResponse;`, `SoapAction=m:GetItem;`, as Exchange 2010 appends it: `GetItem`.
fn soap_action(cs_uri_query: &[u8]) -> Option<&[u8]> {
    let pieces = cs_uri_query.split(|&b| b == b'&' || b == b';');
    let action = pieces.filter_map(|piece| strip_prefix(piece, "SoapAction=")).next_back()?;
    let action = action.rsplit(|&b| b == b':' || b == b'/').next().unwrap_or_default();
    let action = action.strip_suffix(b"Response").unwrap_or(action);
    (!action.is_empty()).then_some(action)
}

/// The mailbox as a WebDAV tree, 2003 to 2010.
fn is_web_dav(cs_uri_stem: &[u8]) -> bool {
    segments(cs_uri_stem).next().is_some_and(|first| {
        first.eq_ignore_ascii_case(b"exchange") || first.eq_ignore_ascii_case(b"public")
    })
}

/// What a served request of this [`command`] moved. Only a 2xx moved anything; a 207 is WebDAV's.
pub fn moves_data(
    protocol: Protocol,
    word: &BStr,
    cs_method: &[u8],
    cs_uri_stem: &[u8],
    cs_uri_query: &[u8],
    sc_status: u16,
) -> Data {
    if !(200..300).contains(&sc_status) {
        return Data::None;
    }
    match protocol {
        Protocol::Eas => eas_data(word, cs_uri_query),
        Protocol::Owa if is_web_dav(cs_uri_stem) => verb_data(cs_method),
        Protocol::Owa => owa_data(word, cs_uri_stem),
        Protocol::Ews => action_data(EWS_ACTIONS, word),
        // The manifest is `oab.xml`; the book itself is in the `.lzx` files.
        Protocol::Oab if cs_method.eq_ignore_ascii_case(b"GET") && ends_with(word, b".lzx") => {
            Data::Directory
        }
        Protocol::Oab | Protocol::Autodiscover => Data::None,
        _ => Data::Unknown,
    }
}

fn ends_with(text: &[u8], ending: &[u8]) -> bool {
    text.len()
        .checked_sub(ending.len())
        .and_then(|at| text.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
}

/// EAS: a command that fetches, sends or files something moved data. `Sync` may have been an empty
/// poll: the counters of `&Log=` tell, where they are logged. Behind a 200 an `Error:` may stand.
fn eas_data(word: &BStr, cs_uri_query: &[u8]) -> Data {
    use eas::Command::*;
    let Some(command) = eas::Command::from_word(word) else { return Data::Unknown };
    if command == Ping || command == Options {
        return Data::None;
    }
    let log = eas::log_field(cs_uri_query).unwrap_or_default();
    let data = match command {
        Sync => match (log.client_items, log.server_items) {
            (None, None) => Data::Unknown,
            (client, server) if client.unwrap_or(0) > 0 || server.unwrap_or(0) > 0 => {
                return Data::Mailbox;
            }
            (Some(_), Some(_)) => Data::None,
            // One half says nothing moved, the other says nothing.
            _ => Data::Unknown,
        },
        SendMail | SmartForward | SmartReply if log.mails_sent == Some(0) => Data::Unknown,
        SendMail | SmartForward | SmartReply | GetAttachment | MoveItems | ItemOperations
        | MeetingResponse | Search | Find => Data::Mailbox,
        FolderCreate | FolderDelete | FolderUpdate | CreateCollection | DeleteCollection
        | MoveCollection => Data::Mailbox,
        ResolveRecipients => Data::Directory,
        // Names and counts of folders, policy, settings, waiting.
        FolderSync | GetHierarchy | GetItemEstimate | Settings | Provision | Ping
        | ValidateCert | Options => Data::None,
    };
    if log.error.is_some() && data != Data::None { Data::Unknown } else { data }
}

/// Verbs of WebDAV, and of HTTP, that move data; those that do not.
const MOVING_VERBS: &[&str] = &[
    "PROPFIND",
    "BPROPFIND",
    "SEARCH",
    "PROPPATCH",
    "BPROPPATCH",
    "PUT",
    "DELETE",
    "BDELETE",
    "MOVE",
    "BMOVE",
    "COPY",
    "BCOPY",
    "MKCOL",
];
const POLLING_VERBS: &[&str] = &["OPTIONS", "HEAD", "SUBSCRIBE", "UNSUBSCRIBE", "POLL"];

fn verb_data(cs_method: &[u8]) -> Data {
    let is = |verbs: &[&str]| verbs.iter().any(|v| v.as_bytes().eq_ignore_ascii_case(cs_method));
    if is(MOVING_VERBS) {
        Data::Mailbox
    } else if is(POLLING_VERBS) {
        Data::None
    } else {
        // GET serves mails as well as the frames of the page.
        Data::Unknown
    }
}

/// OWA: the action tells, but only where the server looks for it; `?action=GetItem` behind another
/// page is just text.
fn owa_data(word: &BStr, cs_uri_stem: &[u8]) -> Data {
    let page = segments(cs_uri_stem).nth(1).unwrap_or_default();
    let takes_actions = ["service.svc", "ev.owa", "ev.owa2", "attachment.ashx"]
        .iter()
        .any(|known| page.eq_ignore_ascii_case(known.as_bytes()));
    let is_form = page.is_empty() || page.eq_ignore_ascii_case(b"default.aspx");
    if takes_actions {
        action_data(OWA_ACTIONS, word)
    } else if is_form
        && (word.eq_ignore_ascii_case(b"Item") || word.eq_ignore_ascii_case(b"Folder"))
    {
        // The pages of 2007 and 2010: one mail, or a list of them.
        Data::Mailbox
    } else if contains(page, "logoff") || contains(page, "keepalive") {
        Data::None
    } else {
        Data::Unknown
    }
}

fn action(actions: &'static [Action], word: &[u8]) -> Option<&'static Action> {
    actions.iter().find(|row| row.0.as_bytes().eq_ignore_ascii_case(word))
}

fn action_data(actions: &'static [Action], word: &BStr) -> Data {
    action(actions, word).map_or(Data::Unknown, |row| row.1)
}

/// The word of an action, and what a 2xx to it moved.
type Action = (&'static str, Data);

/// Actions of `service.svc`, its `/s/` pages, events of `ev.owa` and `ev.owa2`.
#[rustfmt::skip]
static OWA_ACTIONS: &[Action] = &[
    // Reading.
    ("GetItem", Data::Mailbox), ("FindItem", Data::Mailbox), ("FindConversation", Data::Mailbox),
    ("GetConversationItems", Data::Mailbox), ("GetThreadedConversationItems", Data::Mailbox),
    ("GetAttachment", Data::Mailbox), ("GetFileAttachment", Data::Mailbox),
    ("GetAttachmentThumbnail", Data::Mailbox), ("GetAllAttachmentsAsZip", Data::Mailbox),
    ("GetWacAttachmentInfo", Data::Mailbox), ("attachment.ashx", Data::Mailbox),
    ("ExecuteSearch", Data::Mailbox), ("GetCalendarView", Data::Mailbox),
    ("GetCalendarEvent", Data::Mailbox), ("SyncCalendar", Data::Mailbox),
    // Writing.
    ("CreateItem", Data::Mailbox), ("UpdateItem", Data::Mailbox), ("SendItem", Data::Mailbox),
    ("DeleteItem", Data::Mailbox), ("MoveItem", Data::Mailbox), ("CopyItem", Data::Mailbox),
    ("CreateAttachment", Data::Mailbox), ("CreateAttachmentFromLocalFile", Data::Mailbox),
    ("DeleteAttachment", Data::Mailbox), ("ApplyConversationAction", Data::Mailbox),
    ("MarkAllItemsAsRead", Data::Mailbox), ("EmptyFolder", Data::Mailbox),
    ("CreateFolder", Data::Mailbox), ("DeleteFolder", Data::Mailbox), ("MoveFolder", Data::Mailbox),
    ("CreateCalendarEvent", Data::Mailbox), ("UpdateCalendarEvent", Data::Mailbox),
    ("DeleteCalendarEvent", Data::Mailbox), ("RespondToCalendarEvent", Data::Mailbox),
    // The address book.
    ("FindPeople", Data::Directory), ("ResolveNames", Data::Directory),
    // Waiting, and what the page tells of itself.
    ("PendingNotificationRequest", Data::None), ("FinishNotificationRequest", Data::None),
    ("SubscribeToNotification", Data::None), ("UnsubscribeToNotification", Data::None),
    ("KeepAlive", Data::None), ("LogDatapoint", Data::None), ("GetTimeZone", Data::None),
    ("GetOwaUserConfiguration", Data::None), ("UpdateUserConfiguration", Data::None),
];

/// Operations of EWS, which only Exchange 2010 names in the log.
#[rustfmt::skip]
static EWS_ACTIONS: &[Action] = &[
    ("GetItem", Data::Mailbox), ("FindItem", Data::Mailbox), ("FindConversation", Data::Mailbox),
    ("GetConversationItems", Data::Mailbox), ("GetAttachment", Data::Mailbox),
    ("ExportItems", Data::Mailbox), ("CreateItem", Data::Mailbox), ("UpdateItem", Data::Mailbox),
    ("SendItem", Data::Mailbox), ("DeleteItem", Data::Mailbox), ("MoveItem", Data::Mailbox),
    ("CopyItem", Data::Mailbox), ("UploadItems", Data::Mailbox), ("EmptyFolder", Data::Mailbox),
    ("CreateAttachment", Data::Mailbox), ("DeleteAttachment", Data::Mailbox),
    ("CreateFolder", Data::Mailbox), ("DeleteFolder", Data::Mailbox), ("MoveFolder", Data::Mailbox),
    ("FindPeople", Data::Directory), ("ResolveNames", Data::Directory),
    ("ExpandDL", Data::Directory), ("GetStreamingEvents", Data::None), ("Subscribe", Data::None),
    ("Unsubscribe", Data::None), ("GetEvents", Data::None), ("GetServerTimeZones", Data::None),
    ("GetServiceConfiguration", Data::None), ("GetUserOofSettings", Data::None),
];

/// What tells this client from others under the same name: `DeviceId` of EAS, the `ClientId` cookie
/// of OWA and ECP, which the front end appends to the query (DOMAIN.md 7.7).
pub fn device_id(protocol: Protocol, cs_uri_query: &[u8]) -> Option<Cow<'_, [u8]>> {
    match protocol {
        Protocol::Eas => eas::device_id(cs_uri_query),
        Protocol::Owa | Protocol::Ecp => {
            let value = query_values(cs_uri_query, "ClientId").last()?;
            let id = value.trim_end_with(|c| c == ';');
            (!matches!(id, b"" | b"<empty>")).then_some(Cow::Borrowed(id))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
