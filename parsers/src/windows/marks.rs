//! The bytes of an event, as they were exported, to whether it can be of interest at all. Logons and states of services
//! are most of a log, and hardly any is of interest: that has to be known before one is taken apart.

use super::ids::of_interest;
use super::{logons, restarts, validations};
use memchr::{memchr2_iter, memmem};

/// Words of which one stands in every event of this id that is of interest; none where that cannot be said.
fn marks(event_id: u32) -> &'static [&'static str] {
    match event_id {
        4624 | 4625 => &[logons::WORKER],
        7031 | 7034 | 7036 => restarts::MARKS,
        _ => &[],
    }
}

/// Can an event of this id be of interest, as far as its text shows? A yes may be wrong, a no never is.
pub fn may_tell(event_id: u32, text: &[u8]) -> bool {
    of_interest(event_id) && (has_mark(event_id, text) || is_veiled(text))
}

/// The same for the bytes of a record of EVTX. Only names and what all records of a kind have in common stand
/// elsewhere in the chunk; a value is in its own record, in UTF-16.
pub fn may_tell_utf16(event_id: u32, record: &[u8]) -> bool {
    let marks = marks(event_id);
    // Validations are read by themselves, where there are logons to compare them with.
    of_interest(event_id)
        && !validations::of_interest(event_id)
        && (marks.is_empty() || marks.iter().any(|mark| holds(record, mark.as_bytes(), 2)))
}

/// Does the message in a server's language show that the event is of no interest, though its values are lost?
pub fn message_rules_out(event_id: u32, message: &str) -> bool {
    !message.trim().is_empty() && !has_mark(event_id, message.as_bytes())
}

fn has_mark(event_id: u32, text: &[u8]) -> bool {
    let marks = marks(event_id);
    marks.is_empty() || marks.iter().any(|mark| holds(text, mark.as_bytes(), 1))
}

/// Letters may be written as `&#119;` or `\u0077`, or the values be lost.
fn is_veiled(text: &[u8]) -> bool {
    let veils = ["&#", "\\u00", "System.Diagnostics.Eventing"];
    veils.iter().any(|veil| memmem::find(text, veil.as_bytes()).is_some())
}

/// `text` holds the ASCII `word` in any case, in letters of so many bytes, the low one first.
pub(crate) fn holds(text: &[u8], word: &[u8], width: usize) -> bool {
    let Some(first) = word.first() else { return true };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    memchr2_iter(lower, upper, text).any(|at| {
        let letters = text.get(at..).unwrap_or_default().chunks_exact(width);
        letters.len() >= word.len()
            && letters.zip(word).all(|(letter, want)| match letter {
                [low] => low.eq_ignore_ascii_case(want),
                [low, high] => *high == 0 && low.eq_ignore_ascii_case(want),
                _ => false,
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Pos;
    use crate::windows::{Event, directory_service::Seen, facts};
    use proptest::prelude::*;

    proptest! {
        /// Whatever tells something has a mark.
        #[test]
        fn nothing_is_passed_over(
            event_id in prop::sample::select(vec![4624, 4625, 7031, 7034, 7036, 4725, 5079]),
            values in prop::collection::vec(0..VALUES.len(), 1..4),
            upper in any::<bool>(),
        ) {
            let mut event = Event::new(Pos::Line(1), event_id);
            event.time = Some(Default::default());
            event.provider = Some(match event_id {
                4624 | 4625 | 4725 => "Microsoft-Windows-Security-Auditing".to_owned(),
                5079 => "WAS".to_owned(),
                _ => "Service Control Manager".to_owned(),
            });
            let cased = |text: &str| if upper { text.to_ascii_uppercase() } else { text.to_owned() };
            for (name, value) in values.iter().filter_map(|at| VALUES.get(*at)) {
                event.data.push(((*name).to_owned(), cased(value)));
            }
            let usual = [("LogonType", "8"), ("TargetUserName", "ada"), ("Status", "0xc000006d")];
            event.data.extend(usual.map(|(name, value)| (name.to_owned(), value.to_owned())));
            let text: String = event.data.iter().flat_map(|(n, v)| [n, ":", v, ";"]).collect();
            let tells = facts(&event, &mut Seen::default()).is_ok_and(|facts| !facts.is_empty());
            prop_assert!(!tells || may_tell(event_id, text.as_bytes()), "{}", text);
            let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            prop_assert!(!tells || may_tell_utf16(event_id, &units), "{}", text);
        }
    }

    const VALUES: &[(&str, &str)] = &[
        ("ProcessName", r"C:\Windows\System32\inetsrv\w3wp.exe"),
        ("ProcessName", "w3wp.exe"),
        ("ProcessName", "-"),
        ("AppPoolID", "x"),
        ("param1", "World Wide Web Publishing Service"),
        ("param1", "Servicio de publicación World Wide Web"),
        ("param1", "WWW-Publishingdienst"),
        ("param1", "Windows-Prozessaktivierungsdienst"),
        ("param1", "Windows Update"),
        ("param1", "WAS"),
        ("Binary", "570033005300560043002F0034000000"),
        ("Binary", "5700410053002f0031000000"),
        ("Binary", "7700610073000000"),
    ];

    #[test]
    fn words_in_bytes() {
        let utf16 =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        for (text, expect) in [
            (r"C:\Windows\System32\inetsrv\w3wp.exe", true),
            (r"C:\WINDOWS\SYSTEM32\INETSRV\W3WP.EXE-", true),
            ("ww3wp.exe", true),
            ("w3wp.ex", false),
            ("w3wp_exe", false),
            ("ŷ3wp.exe", false),
            ("", false),
        ] {
            assert_eq!(may_tell(4624, text.as_bytes()), expect, "{text}");
            let wide = utf16(text);
            assert_eq!(may_tell_utf16(4624, &wide), expect, "{text}");
            // Values of other lengths stand before it.
            assert_eq!(may_tell_utf16(4625, &[&[7], &wide[..]].concat()), expect, "{text}");
        }
        // One byte short of its last letter.
        assert!(may_tell_utf16(4624, &utf16("w3wp.exe")[..16]));
        assert!(!may_tell_utf16(4624, &utf16("w3wp.exe")[..15]));
    }

    #[test]
    fn ids_and_veils() {
        for (id, text, expect) in [
            (4725, "", true),
            (4688, "w3wp.exe", false),
            (4624, "", false),
            (4624, "&#119;3wp.exe", true),
            (4624, r"\u0077", true),
            (4624, "System.Diagnostics.Eventing.Reader.EventProperty", true),
            (7036, "Windows Update", false),
            (7036, "World Wide Web Publishing Service", true),
            (7036, "Servizio <Binary>57003300530056004300</Binary>", true),
            (7034, "Windows-Prozessaktivierungsdienst", true),
            (5079, "", true),
        ] {
            assert_eq!(may_tell(id, text.as_bytes()), expect, "{id} {text}");
        }
        // Of EVTX they are read by themselves.
        assert!(may_tell(4776, b"") && !may_tell_utf16(4776, b""));
        assert!(message_rules_out(4624, "Process Name: C:\\Windows\\System32\\lsass.exe"));
        assert!(!message_rules_out(4624, "Process Name: C:\\Windows\\System32\\w3wp.exe"));
        assert!(!message_rules_out(4624, " "));
        assert!(!message_rules_out(4725, "A user account was disabled."));
    }
}
