//! The meaning of real Exchange lines, read where they lie: routes, commands, outcomes, noise.

mod pinned;

use pinned::real;
use stillin_parsers::exchange::{
    Data, Noise, Outcome, Protocol, Refusal, Status, command, is_back_end, moves_data, noise,
    outcome, route,
};

/// Columns of a line by their place; the names are those of the W3C log.
struct Line<'a> {
    s_sitename: &'a str,
    s_port: u16,
    cs_method: &'a str,
    cs_uri_stem: &'a str,
    cs_uri_query: &'a str,
    cs_username: &'a str,
    c_ip: &'a str,
    cs_user_agent: &'a str,
    status: Status,
}

impl Line<'_> {
    fn protocol(&self) -> Protocol {
        route(self.cs_uri_stem.as_bytes()).protocol
    }

    fn outcome(&self) -> Outcome {
        outcome(
            self.protocol(),
            self.cs_username.as_bytes(),
            self.cs_method.as_bytes(),
            self.cs_uri_stem.as_bytes(),
            self.cs_uri_query.as_bytes(),
            self.status,
        )
    }

    fn command(&self) -> String {
        let (stem, query) = (self.cs_uri_stem.as_bytes(), self.cs_uri_query.as_bytes());
        command(self.protocol(), self.cs_method.as_bytes(), stem, query).to_string()
    }

    fn data(&self) -> Data {
        let (stem, query) = (self.cs_uri_stem.as_bytes(), self.cs_uri_query.as_bytes());
        let method = self.cs_method.as_bytes();
        let command = command(self.protocol(), method, stem, query);
        moves_data(self.protocol(), command, method, stem, query, self.status.sc_status)
    }

    fn noise(&self) -> Option<Noise> {
        noise(
            self.cs_username.as_bytes(),
            self.cs_user_agent.as_bytes(),
            self.c_ip.as_bytes(),
            self.cs_uri_stem.as_bytes(),
        )
    }

    fn is_back_end(&self) -> bool {
        is_back_end(Some(self.s_port), self.s_sitename.as_bytes(), self.cs_uri_stem.as_bytes())
    }
}

fn status(columns: &[&str]) -> Status {
    Status {
        sc_status: columns[0].parse().unwrap(),
        sc_substatus: columns[1].parse().ok(),
        sc_win32_status: columns[2].parse().ok(),
    }
}

#[test]
fn lines_of_open_xp_rules() {
    use Outcome::*;
    let Some(folder) = real("iis/open-xp-rules") else { return };
    #[rustfmt::skip]
    let table = [
        (11, Protocol::Oab, "oab.xml", Served, Data::None, None, false),
        (12, Protocol::Oab, "faf0ba13-6ae6-453b-ab53-77e521174af2-data-1748.lzx", Served, Data::Directory, None, false),
        (13, Protocol::Autodiscover, "autodiscover.xml", Served, Data::None, None, false),
        (14, Protocol::Owa, "x.js", Other, Data::None, None, false),
        (15, Protocol::Ews, "Exchange.asmx", Served, Data::Unknown, None, true),
        (16, Protocol::Ews, "Exchange.asmx", Served, Data::Unknown, None, false),
        (17, Protocol::Rpc, "RPC_OUT_DATA", Other, Data::None, Some(Noise::Machine), true),
        (18, Protocol::Autodiscover, "autodiscover.xml", Refused(Refusal::WrongPassword), Data::None, None, false),
    ];
    for (n, protocol, command, outcome, data, noise, back_end) in table {
        let text = std::fs::read_to_string(folder.join(format!("raw_{n}.txt"))).unwrap();
        let columns: Vec<&str> = text.trim().split(' ').collect();
        let line = Line {
            s_sitename: columns[2],
            s_port: columns[8].parse().unwrap(),
            cs_method: columns[5],
            cs_uri_stem: columns[6],
            cs_uri_query: columns[7],
            cs_username: columns[9],
            c_ip: columns[10],
            cs_user_agent: columns[12],
            status: status(&columns[16..]),
        };
        assert_eq!(line.protocol(), protocol, "raw_{n}");
        assert_eq!(line.command(), command, "raw_{n}");
        assert_eq!(line.outcome(), outcome, "raw_{n}");
        assert_eq!(line.data(), data, "raw_{n}");
        assert_eq!(line.noise(), noise, "raw_{n}");
        assert_eq!(line.is_back_end(), back_end, "raw_{n}");
    }
}

type Described = (Protocol, String, Outcome, Option<Noise>);

/// Protocol, command, outcome and noise of every line of a file of plaso's.
fn plaso(file: &str, has_referer: bool) -> Option<Vec<Described>> {
    let text = std::fs::read_to_string(real(&format!("iis/plaso/{file}"))?).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let described = lines.map(|text| {
        // Some have two blanks before the user name.
        let columns: Vec<&str> = text.split_ascii_whitespace().collect();
        let line = Line {
            s_sitename: "",
            s_port: columns[6].parse().unwrap(),
            cs_method: columns[3],
            cs_uri_stem: columns[4],
            cs_uri_query: columns[5],
            cs_username: columns[7],
            c_ip: columns[8],
            cs_user_agent: columns[9],
            status: status(&columns[10 + usize::from(has_referer)..]),
        };
        (line.protocol(), line.command(), line.outcome(), line.noise())
    });
    Some(described.collect())
}

#[test]
fn lines_of_plaso() {
    use Outcome::{NotAuthenticated, Served};
    use Protocol::{Eas, Ews, Mapi, Owa, Powershell, Rest, Rpc};
    if let Some(lines) = plaso("iis7_owa.log", false) {
        let expect = [
            (Owa, "".into(), Served, None),
            (Ews, "GetUserOofSettings".into(), Served, None),
            (Eas, "Ping".into(), Served, None),
        ];
        assert_eq!(lines, expect);
    }
    if let Some(lines) = plaso("iis10_edge_cases.log", true) {
        let loopback = Some(Noise::Loopback);
        let probe = Some(Noise::Probe);
        let expect = [
            (Powershell, "".into(), Served, None),
            (Powershell, "".into(), Served, None),
            (Powershell, "".into(), Served, None),
            (Rest, "$metadata".into(), NotAuthenticated, probe),
            (Protocol::Other, "EditCertificate.aspx".into(), Served, None),
            // 214784354254: no code anybody has described, and no name.
            (Eas, "Settings".into(), NotAuthenticated, probe),
            (Rpc, "RPC_IN_DATA".into(), Served, Some(Noise::Machine)),
            (Rpc, "RPC_OUT_DATA".into(), NotAuthenticated, loopback),
            (Protocol::Other, "SetObject".into(), Served, None),
            (Ews, "exchange.asmx".into(), Served, None),
            (Mapi, "emdata".into(), Served, None),
            (Protocol::Other, "logoff.aspx".into(), Served, None),
            (Powershell, "".into(), Served, None),
            (Powershell, "".into(), Served, None),
            (Powershell, "".into(), Served, None),
        ];
        assert_eq!(lines, expect);
    }
}
