//! A number of users to people: their names in every spelling, phones, addresses and mailboxes, and
//! the directory export that lists them.

use super::rng::{self, Rng};
use std::io::{self, Write};

/// The NetBIOS name of the domain, as `DOMAIN\user` spells it.
pub const DOMAIN: &str = "FABRIKAM";
/// The DNS name of the domain, as UPNs and mailbox queries spell it.
pub const DNS: &str = "fabrikam.example";
/// The SID of the domain; an account has a number behind it.
pub const DOMAIN_SID: &str = "S-1-5-21-1004336348-1177238915-682003330";
/// The last number of the SID of the first person.
pub const FIRST_RID: u32 = 1105;

const FIRST: [&str; 40] = [
    "ada", "ben", "carla", "david", "elif", "farid", "greta", "hugo", "ines", "jan", "katja",
    "liam", "mona", "nils", "olga", "pavel", "quinn", "rosa", "sven", "tara", "uwe", "vera", "wim",
    "xenia", "yusuf", "zoe", "anton", "berta", "celik", "dora", "emil", "frida", "gino", "hanna",
    "igor", "jule", "kofi", "lena", "milo", "nora",
];
const LAST: [&str; 50] = [
    "abel", "bauer", "costa", "dietz", "ebert", "funk", "gruber", "huber", "iqbal", "jansen",
    "keller", "lang", "meier", "novak", "otto", "peters", "quast", "richter", "sommer", "thoma",
    "ulrich", "vogel", "weber", "xu", "yilmaz", "ziegler", "adler", "busch", "conti", "duarte",
    "engel", "fischer", "garcia", "hahn", "ivanov", "jung", "kaya", "lopez", "moser", "nagy",
    "olsen", "pohl", "rossi", "santos", "tanaka", "unger", "vidal", "wagner", "young", "zimmer",
];

const PHONES: [(&str, &str, &[u8]); 6] = [
    ("Appl", "iPhone", b"Apple-iPhone14C5/2003.42"),
    ("Appl", "iPhone", b"Apple-iPhone12C1/1906.79"),
    ("Appl", "iPad", b"Apple-iPad7C5/1907.53"),
    ("android", "Android", b"Android/13-EAS-2.0"),
    ("SEC", "SamsungDevice", b"SAMSUNG-SM-S911B/101.1300"),
    ("", "Outlook", b"Outlook-iOS-Android/1.0"),
];

/// An ActiveSync command: its name and its code in a base64 query.
pub type Command = (&'static str, u8);

/// ActiveSync commands with their code in the base64 query (MS-ASHTTP 2.2.1.1.1.1) and how often
/// each comes; Ping is drawn apart, because it alone takes minutes.
pub const COMMANDS: [(u32, Command); 9] = [
    (700, ("Sync", 0)),
    (50, ("SendMail", 1)),
    (20, ("SmartReply", 3)),
    (60, ("FolderSync", 9)),
    (30, ("MoveItems", 13)),
    (30, ("GetItemEstimate", 14)),
    (20, ("Search", 16)),
    (20, ("Settings", 17)),
    (70, ("ItemOperations", 19)),
];
/// The command that a phone hangs in while it waits for mail.
pub const PING: Command = ("Ping", 18);

/// One user and what the logs show of him.
pub struct Person {
    /// `sAMAccountName`
    pub sam: String,
    /// Row number; the tail of the SID follows from it.
    pub number: u32,
    /// What the phone was told to log on as.
    pub phone_name: Vec<u8>,
    /// What the user types into the logon page.
    pub owa_name: Vec<u8>,
    /// `DOMAIN\sam`, as Windows authentication logs it.
    pub windows_name: Vec<u8>,
    /// User agent of the phone.
    pub phone_agent: &'static [u8],
    /// Address of the phone.
    pub phone_ip: Vec<u8>,
    /// Address of the desk.
    pub office_ip: Vec<u8>,
    /// `guid@domain`, as MAPI and RPC name the mailbox.
    pub mailbox: Vec<u8>,
    /// `ClientId` of the browser's cookie.
    pub client_id: [u8; 32],
    /// Protocol version and low byte of the locale, if the phone sends base64 queries.
    eas_base64: Option<(u8, u8)>,
    /// The query after the part that depends on the command.
    eas_tail: Vec<u8>,
}

/// The people with numbers `0..n`.
pub fn people(n: u32, rng: &mut Rng) -> Vec<Person> {
    (0..n).map(|number| person(number, rng)).collect()
}

fn person(number: u32, rng: &mut Rng) -> Person {
    let (names, lasts) = (FIRST.len(), LAST.len());
    let i = number as usize;
    let round = i / (names * lasts);
    let suffix = if round == 0 { String::new() } else { (round + 1).to_string() };
    let sam = format!("{}.{}{suffix}", FIRST[i % names], LAST[i / names % lasts]);
    let (device, device_type, phone_agent) = PHONES[rng.below(PHONES.len() as u32) as usize];
    let digits = rng::hex32(rng).to_ascii_uppercase();
    let device = format!("{device}{}", String::from_utf8_lossy(&digits[..12]));
    let (eas_base64, eas_tail) = if rng.chance(300) {
        let (version, locale) = (140 + rng.below(2) as u8, 7 + rng.below(3) as u8);
        (Some((version, locale)), base64_tail(&device, device_type, rng))
    } else {
        let tail = format!("&User={DOMAIN}%5C{sam}&DeviceId={device}&DeviceType={device_type}");
        (None, tail.into_bytes())
    };
    Person {
        phone_name: spelled(&sam, rng),
        owa_name: spelled(&sam, rng),
        windows_name: format!("{DOMAIN}\\{sam}").into_bytes(),
        phone_agent,
        phone_ip: format!("203.0.{}.{}", 112 + rng.below(4), rng.between(1, 255)).into_bytes(),
        office_ip: format!("10.{}.{}.{}", rng.below(4), rng.below(256), rng.between(1, 255))
            .into_bytes(),
        mailbox: [&rng::guid(rng)[..], b"@", DNS.as_bytes()].concat(),
        client_id: rng::hex32(rng).to_ascii_uppercase().try_into().unwrap_or([b'0'; 32]),
        eas_base64,
        eas_tail,
        number,
        sam,
    }
}

/// One of the spellings that people use; the front end logs what the client sent (DOMAIN.md 1.5).
fn spelled(sam: &str, rng: &mut Rng) -> Vec<u8> {
    match rng.below(10) {
        0..=3 => format!("{DOMAIN}\\{sam}"),
        4..=6 => format!("{sam}@{DNS}"),
        7 => format!("{}\\{sam}", DOMAIN.to_ascii_lowercase()),
        _ => sam.to_string(),
    }
    .into_bytes()
}

/// Writes the query of an ActiveSync request as this person's phone spells it.
pub fn eas_query(out: &mut Vec<u8>, person: &Person, (command, code): Command) {
    match person.eas_base64 {
        // The first three bytes, version, command and half of the locale, make the first four signs.
        Some((version, locale)) => base64(out, &[version, code, locale]),
        None => {
            out.extend_from_slice(b"Cmd=");
            out.extend_from_slice(command.as_bytes());
        }
    }
    out.extend_from_slice(&person.eas_tail);
}

/// Everything behind the third byte of a base64 query: the rest of the locale, device, policy key,
/// device type (DOMAIN.md 2.2).
fn base64_tail(device: &str, device_type: &str, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = vec![4, device.len() as u8];
    bytes.extend_from_slice(device.as_bytes());
    bytes.push(4);
    bytes.extend_from_slice(&rng.bits().to_le_bytes()[..4]);
    bytes.push(device_type.len() as u8);
    bytes.extend_from_slice(device_type.as_bytes());
    let mut out = Vec::new();
    base64(&mut out, &bytes);
    out
}

fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for three in bytes.chunks(3) {
        let mut word = 0u32;
        for i in 0..3 {
            word = word << 8 | u32::from(three.get(i).copied().unwrap_or(0));
        }
        for i in 0..4 {
            let sign = SIGNS[(word >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= three.len() { sign } else { b'=' });
        }
    }
}

/// Writes the people as `Get-ADUser -Filter * | Export-Csv -NoTypeInformation` does, with its default
/// properties; `enabled` says so of a number, or `None` for one who is no longer there.
pub fn write_directory(
    to: &mut dyn Write,
    people: &[Person],
    enabled: impl Fn(u32) -> Option<bool>,
    rng: &mut Rng,
) -> io::Result<()> {
    to.write_all(
        b"\"DistinguishedName\",\"Enabled\",\"GivenName\",\"Name\",\"ObjectClass\",\"ObjectGUID\",\
          \"SamAccountName\",\"SID\",\"Surname\",\"UserPrincipalName\"\r\n",
    )?;
    for Person { sam, number, .. } in people {
        let guid = rng::guid(rng);
        let Some(enabled) = enabled(*number) else { continue };
        let (given, surname) = sam.split_once('.').unwrap_or((sam, ""));
        write!(
            to,
            "\"CN={sam},OU=Staff,DC=fabrikam,DC=example\",\"{}\",\"{given}\",\"{sam}\",\"user\",\
             \"{}\",\"{sam}\",\"{DOMAIN_SID}-{}\",\"{surname}\",\
             \"{sam}@{DNS}\"\r\n",
            if enabled { "True" } else { "False" },
            String::from_utf8_lossy(&guid),
            FIRST_RID + number,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn base64_is_padded() {
        let encode = |bytes: &[u8]| {
            let mut out = Vec::new();
            base64(&mut out, bytes);
            String::from_utf8(out).unwrap()
        };
        for (bytes, expect) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(encode(bytes.as_bytes()), expect);
        }
    }

    #[test]
    fn names_are_unique_and_short_enough_for_ad() {
        let people = people(20_000, &mut Rng::new(1));
        let names: BTreeSet<_> = people.iter().map(|p| &p.sam).collect();
        assert_eq!(names.len(), people.len());
        assert!(names.iter().all(|sam| sam.len() <= 20));
    }
}
