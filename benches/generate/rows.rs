//! A line of a W3C log to the row that HttpProxy writes of the same request (DOMAIN.md 2.6, 3.1).

use super::logs;
use super::people::{DNS, DOMAIN, DOMAIN_SID, FIRST_RID};
use super::rng::{self, Rng};
use std::collections::BTreeMap;
use std::fmt::{self, Display};

/// The build of Exchange that writes the log.
pub const VERSION: &str = "15.02.1544.011";
/// The columns of Exchange 2016 and later.
pub const FIELDS: &str = "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,\
    ClientRequestId,Protocol,UrlHost,UrlStem,ProtocolAction,AuthenticationType,IsAuthenticated,\
    AuthenticatedUser,Organization,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,\
    HttpStatus,BackEndStatus,ErrorCode,Method,ProxyAction,TargetServer,TargetServerVersion,\
    RoutingType,RoutingHint,BackEndCookie,ServerLocatorHost,ServerLocatorLatency,RequestBytes,\
    ResponseBytes,TargetOutstandingRequests,AuthModulePerfContext,HttpPipelineLatency,\
    CalculateTargetBackEndLatency,GlsLatencyBreakup,TotalGlsLatency,AccountForestLatencyBreakup,\
    TotalAccountForestLatency,ResourceForestLatencyBreakup,TotalResourceForestLatency,ADLatency,\
    SharedCacheLatencyBreakup,TotalSharedCacheLatency,ActivityContextLifeTime,\
    ModuleToHandlerSwitchingLatency,ClientReqStreamLatency,BackendReqInitLatency,\
    BackendReqStreamLatency,BackendProcessingLatency,BackendRespInitLatency,\
    BackendRespStreamLatency,ClientRespStreamLatency,KerberosAuthHeaderLatency,\
    HandlerCompletionLatency,RequestHandlerLatency,HandlerToModuleSwitchingLatency,ProxyTime,\
    CoreLatency,RoutingLatency,HttpProxyOverhead,TotalRequestTime,RouteRefresherLatency,UrlQuery,\
    BackEndGenericInfo,GenericInfo,GenericErrors,EdgeTraceId,DatabaseGuid,UserADObjectGuid,\
    PartitionEndpointLookupLatency,RoutingStatus";

/// `sAMAccountName` is no longer than that; the names of probes' mailboxes are cut there.
const LONGEST_SAM: usize = 20;
const DATABASES: [&str; 4] = [
    "0d1f0c7e-6a35-4c53-9d0b-1f2a6f0b7a11",
    "4b7e9a52-2c1d-4e8f-8a64-5c93d0e7b222",
    "8c26d3f0-91be-4a07-b5d8-73e4a1f9c333",
    "f3a58b1c-d047-4962-a1ce-06b8d25f7444",
];

/// A request as its W3C line tells of it.
pub struct Line<'a> {
    /// When it ended, in milliseconds since 1970.
    pub end: u64,
    method: &'a str,
    stem: &'a str,
    /// What the client asked, without what the server appended.
    query: &'a str,
    request_id: &'a str,
    name: &'a str,
    ip: &'a str,
    agent: &'a str,
    status: &'a str,
    win32: &'a str,
    taken: u64,
}

impl<'a> Line<'a> {
    /// A line, if it is of a request that the front end gave an id.
    pub fn of(text: &'a str) -> Option<Line<'a>> {
        if text.starts_with('#') {
            return None;
        }
        let values: Vec<&str> = text.trim_end().split(' ').collect();
        let &[date, time, _, method, stem, query, _, name, ip, agent, _, ..] = &values[..] else {
            return None;
        };
        // The later field set has `cs-host` before the status.
        let outcome = values.get(if values.len() > 15 { 12.. } else { 11.. })?;
        let &[status, _, win32, taken, ..] = outcome else { return None };
        let (query, appended) = query.split_once("&CorrelationID=")?;
        let (_, request_id) = appended.rsplit_once("&cafeReqId=")?;
        Some(Line {
            end: u64::from(logs::second(date, time)?) * 1_000,
            method,
            stem,
            query: query.split("&LogoffReason=").next().unwrap_or(query),
            request_id: request_id.trim_end_matches(';'),
            name,
            ip,
            agent,
            status,
            win32,
            taken: taken.parse().ok()?,
        })
    }

    /// IIS answered it before Exchange saw it: no credentials, or the first leg of a handshake.
    pub fn is_challenge(&self) -> bool {
        self.status == "401" && matches!(self.win32, "5" | "2148074254")
    }

    /// The folder of the row, and its `Protocol`.
    pub fn protocol(&self) -> &'static str {
        match self.stem.split('/').nth(1).unwrap_or_default() {
            "Microsoft-Server-ActiveSync" => "Eas",
            "mapi" => "Mapi",
            "EWS" => "Ews",
            "owa" => "Owa",
            "rpc" => "RpcHttp",
            "OAB" => "Oab",
            _ => "Autodiscover",
        }
    }

    /// Somebody was let in; who was turned down has no name in HttpProxy.
    fn is_served(&self) -> bool {
        self.name != "-" && self.status != "401"
    }

    fn url_query(&self) -> String {
        if self.query.is_empty() { String::new() } else { format!("?{}", self.query) }
    }
}

/// A moment in milliseconds since 1970, as `2026-03-02T08:00:01.123Z`.
pub struct Stamp(pub u64);

impl Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = logs::utc((self.0 / 1_000) as u32);
        let text = |from, to| str::from_utf8(&clock[from..to]).unwrap_or_default();
        write!(f, "{}T{}.{:03}Z", text(0, 10), text(11, 19), self.0 % 1_000)
    }
}

/// The row of a request. `people` are numbers by `sAMAccountName`.
pub fn row(line: &Line, server: &str, people: &BTreeMap<&str, u32>, rng: &mut Rng) -> String {
    let user = User::of(line, people);
    let head = head(line, server, &user, rng);
    if line.is_served() { head + &proxied(line, server, &user, rng) } else { head + &ended(line) }
}

/// An account as the front end resolves it.
struct User<'a> {
    sam: &'a str,
    /// The last number of its SID.
    rid: u32,
}

impl<'a> User<'a> {
    fn of(line: &Line<'a>, people: &BTreeMap<&str, u32>) -> Self {
        let name = line.name.rsplit('\\').next().unwrap_or_default();
        let sam = name.split('@').next().unwrap_or_default();
        match people.get(sam) {
            Some(number) => User { sam, rid: FIRST_RID + number },
            None => User { sam: sam.get(..LONGEST_SAM).unwrap_or(sam), rid: FIRST_RID - 1 },
        }
    }

    /// What its client of this protocol logs on with, the same every time; as the virtual directories
    /// take it by default, but for the Basic of Outlook for Mac and scripts (DOMAIN.md 2.1).
    fn scheme(&self, line: &Line) -> &'static str {
        let by_windows = !["MacOutlook", "python"].iter().any(|it| line.agent.starts_with(it));
        match (line.protocol(), self.rid % 10) {
            ("Owa", _) => "FBA",
            ("Autodiscover", 0 | 5) => "NTLM",
            ("Eas" | "RpcHttp" | "Autodiscover", _) => "Basic",
            ("Ews", _) if !by_windows => "Basic",
            (_, 0) => "Bearer",
            (_, 1 | 2) => "NTLM",
            _ => "Negotiate",
        }
    }

    /// `AuthenticatedUser`: a token names the UPN.
    fn authenticated(&self, scheme: &str) -> String {
        let sam = self.sam;
        if scheme == "Bearer" { format!("{sam}@{DNS}") } else { format!("{DOMAIN}\\{sam}") }
    }

    /// `AnchorMailbox` and `RoutingHint`: the mailbox that the client names, else the user's own.
    fn anchor(&self, line: &Line) -> (String, &'static str) {
        // `MailboxId=<guid>@domain` of MAPI, `<guid>@domain:6001` of Outlook Anywhere.
        let mailbox = line.query.split_once('@').filter(|_| line.protocol() != "Eas");
        if let Some((guid, _)) = mailbox {
            let guid = guid.rsplit('=').next().unwrap_or(guid);
            return (format!("MailboxGuid~{guid}"), "MailboxGuidWithDomain");
        }
        if self.scheme(line) == "Bearer" || (line.protocol() == "Ews" && self.rid.is_multiple_of(3))
        {
            return (format!("SMTP:{}@{DNS}", self.sam), "AnchorMailboxHeader-SMTP");
        }
        (format!("Sid~{DOMAIN_SID}-{}", self.rid), "WindowsIdentity")
    }
}

/// The columns up to `Method`.
fn head(line: &Line, server: &str, user: &User, rng: &mut Rng) -> String {
    let Line { request_id, stem, method, status, .. } = line;
    let (protocol, scheme) = (line.protocol(), user.scheme(line));
    let host = match (line.ip, protocol) {
        ("::1", _) => "localhost",
        (_, "Autodiscover") => "autodiscover.fabrikam.example",
        _ => "mail.fabrikam.example",
    };
    let agent = line.agent.replace(['+', ','], " ");
    // Some come through a proxy that adds the port.
    let port = if user.rid % 20 == 7 {
        format!(":{}", rng.between(49_152, 65_536))
    } else {
        String::new()
    };
    let (authenticated, anchor) = if line.is_served() {
        (format!("true,{}", user.authenticated(scheme)), user.anchor(line).0)
    } else {
        ("false,".to_string(), String::new())
    };
    let organization = if anchor.starts_with("MailboxGuid~") { DNS } else { "" };
    let back_end_status = if line.is_served() { status } else { "" };
    format!(
        "{},{request_id},15,2,1544,11,{},{protocol},{host},{stem},,{scheme},{authenticated},\
         {organization},{anchor},{agent},{}{port},{server},{status},{back_end_status},,{method},",
        Stamp(line.end),
        client_request_id(line, rng),
        line.ip,
    )
}

/// What Outlook calls a request of MAPI.
fn client_request_id(line: &Line, rng: &mut Rng) -> String {
    if line.protocol() != "Mapi" {
        return String::new();
    }
    let kind = if line.taken >= 60_000 { "NotificationWait" } else { "Execute" };
    let n = rng.between(1, 5_000);
    let [request, connection, client] = [(); 3].map(|()| rng::guid(rng));
    let [request, connection, client] =
        [&request, &connection, &client].map(|guid| str::from_utf8(guid).unwrap_or_default());
    format!("R:{{{request}}}:{n};RT:{kind};CI:{{{connection}}}:{n};CID:{{{client}}}")
}

/// The columns behind `Method` of a request that a back end answered.
fn proxied(line: &Line, server: &str, user: &User, rng: &mut Rng) -> String {
    let Line { end, taken, .. } = *line;
    let (begin, hint) = (end - taken, user.anchor(line).1);
    // What the front end itself takes of the time.
    let (before, after) = (taken.min(rng.between(2, 9).into()), taken.min(1));
    let (asked, answered) = (begin + before, (end - after).max(begin + before));
    let waited = answered - asked;
    let database = DATABASES[user.rid as usize % DATABASES.len()];
    let (sent, received) = (rng.between(0, 4_000), rng.between(200, 60_000));
    let lookup = if rng.chance(100) {
        format!(
            "I32:ATE.C[DC1.{DNS}]=2;F:ATE.AL[DC1.{DNS}]=0.5;I32:ADS.C[DC1]=1;F:ADS.AL[DC1]=1.7008"
        )
    } else {
        String::new()
    };
    format!(
        "Proxy,{server}.{DNS},15.02.1544.000,IntraForest,{hint},,,,{sent},{received},,,0,1,,0,,0,,0,0,\
         ,0,{taken},0,0,1,0,{waited},0,0,0,0,0,{taken},0,{waited},{before},{before},{before},{taken},\
         ,{query},,BeginRequest={begin};CorrelationID=<empty>;ProxyState-Run=None;\
         FEAuth=BEVersion-1942111752;RoutingEntry=DatabaseGuid:{database}%40{DNS}%40{DNS} \
         Server:{server}.{DNS}+1942111752@638760367506148886;BeginGetRequestStream={asked};\
         OnRequestStreamReady={asked};BeginGetResponse={asked};OnResponseReady={answered};\
         EndGetResponse={answered};ProxyState-Complete=ProxyResponseData;SharedCacheGuard=0;\
         EndRequest={end};{lookup},,,|RoutingDB:{database},,,CafeV1\r\n",
        query = line.url_query(),
        begin = Stamp(begin),
        asked = Stamp(asked),
        answered = Stamp(answered),
        end = Stamp(end),
    )
}

/// The columns behind `Method` of a request that went no further than the front end.
fn ended(line: &Line) -> String {
    let Line { end, taken, .. } = *line;
    let login_timeout = if line.status == "440" { "LoginTimeout=440 - POST;" } else { "" };
    format!(
        ",,,,,,,,0,,,,,,,,,,,,,,,{taken},,,,,,,,,,,,,,0,,0,{taken},,{query},,BeginRequest={begin};\
         CorrelationID=<empty>;{login_timeout}SharedCacheGuard=0;EndRequest={end};,,,,,,\r\n",
        query = line.url_query(),
        begin = Stamp(end - taken),
        end = Stamp(end),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "823d6c00-01f1-4067-9002-18ff1cf2e5d9";

    /// The columns of the row of a line, if it is written.
    fn cells(line: &str) -> Option<BTreeMap<&'static str, String>> {
        let people = BTreeMap::from([("ada.abel", 0)]);
        let line = Line::of(line).filter(|line| !line.is_challenge())?;
        let row = row(&line, "EX01", &people, &mut Rng::new(1));
        let cells = row.strip_suffix("\r\n").unwrap().split(',').map(str::to_string);
        assert_eq!(row.split(',').count(), FIELDS.split(',').count(), "{row}");
        Some(FIELDS.split(',').zip(cells).collect())
    }

    fn eas(name: &str, outcome: &str) -> String {
        format!(
            "2026-03-02 08:00:01 192.0.2.11 POST /Microsoft-Server-ActiveSync/default.eas \
             Cmd=Ping&DeviceId=Appl1&CorrelationID=<empty>;&cafeReqId={ID}; 443 {name} \
             203.0.113.7 Apple-iPhone14C5/2003.42,(x) - {outcome} 2000\r"
        )
    }

    #[test]
    fn a_request_that_was_served_is_told_with_account_and_scheme() {
        for name in ["FABRIKAM\\ada.abel", "fabrikam\\ada.abel", "ada.abel@fabrikam.example"] {
            let row = cells(&eas(name, "200 0 0")).unwrap();
            for (column, expect) in [
                ("DateTime", "2026-03-02T08:00:01.000Z"),
                ("RequestId", ID),
                ("Protocol", "Eas"),
                ("UrlStem", "/Microsoft-Server-ActiveSync/default.eas"),
                ("UrlQuery", "?Cmd=Ping&DeviceId=Appl1"),
                ("AuthenticationType", "Basic"),
                ("IsAuthenticated", "true"),
                ("AuthenticatedUser", "FABRIKAM\\ada.abel"),
                ("AnchorMailbox", "Sid~S-1-5-21-1004336348-1177238915-682003330-1105"),
                ("RoutingHint", "WindowsIdentity"),
                ("UserAgent", "Apple-iPhone14C5/2003.42 (x)"),
                ("ClientIpAddress", "203.0.113.7"),
                ("ServerHostName", "EX01"),
                ("HttpStatus", "200"),
                ("TotalRequestTime", "2000"),
                ("RoutingStatus", "CafeV1"),
            ] {
                assert_eq!(row[column], expect, "{column} of {name}");
            }
            let info = &row["GenericInfo"];
            assert!(info.starts_with("BeginRequest=2026-03-02T07:59:59.000Z;"), "{info}");
            assert!(info.contains(";EndRequest=2026-03-02T08:00:01.000Z;"), "{info}");
        }
    }

    #[test]
    fn whoever_is_turned_down_is_nobody() {
        let row = cells(&eas("FABRIKAM\\ada.abel", "401 1 1331")).unwrap();
        let told = ["HttpStatus", "AuthenticationType", "IsAuthenticated"].map(|c| &row[c][..]);
        assert_eq!(told, ["401", "Basic", "false"]);
        assert!(row.values().all(|cell| !cell.contains("ada") && !cell.contains("Sid~")));
    }

    #[test]
    fn challenges_and_directives_have_no_row() {
        assert!(cells(&eas("-", "401 2 5")).is_none());
        assert!(cells(&eas("-", "401 1 2148074254")).is_none());
        assert!(cells("#Fields: date time").is_none());
        assert!(cells(&eas("-", "401 1 2148074252")).is_some());
    }

    #[test]
    fn what_the_forms_module_says_moves_from_the_query_to_the_info() {
        let row = cells(&format!(
            "2026-03-02 08:00:01 192.0.2.11 POST /owa/service.svc \
             action=FindItem&LogoffReason=LoginTimeoutPost&CorrelationID=<empty>;&cafeReqId={ID}; \
             443 - 203.0.113.7 Mozilla/5.0 - mail.fabrikam.example 440 0 0 12 203.0.113.7"
        ))
        .unwrap();
        assert_eq!(row["UrlQuery"], "?action=FindItem");
        assert_eq!(row["HttpStatus"], "440");
        assert!(row["GenericInfo"].contains(";LoginTimeout=440 - POST;"));
    }
}
