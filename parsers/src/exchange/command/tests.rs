//! What requests did, one line per kind.

use super::*;
use crate::exchange::route;

/// Method, stem, query, status; command and data.
type Line = (&'static str, &'static str, &'static str, u16, &'static str, Data);

#[rustfmt::skip]
const LINES: &[Line] = &[
    // EAS.
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=Sync&DeviceId=x", 200, "Sync", Data::Unknown),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "cmd=SYNC&Log=V141_Cli:0a0c0d0f0e_Srv:0a0c0d_", 200, "Sync", Data::None),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=Sync&Log=V141_Cli:0a0c0d0f0e_Srv:2a0c0d_", 200, "Sync", Data::Mailbox),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=Sync&Log=V141_Cli:0a1c0d0f0e_", 200, "Sync", Data::Mailbox),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=Sync&Log=V141_Srv:0a0c0d_", 200, "Sync", Data::Unknown),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=SendMail", 200, "SendMail", Data::Mailbox),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=SendMail", 403, "SendMail", Data::None),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=SendMail", 449, "SendMail", Data::None),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=SendMail", 500, "SendMail", Data::None),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=SendMail&Log=V141_Error:UserDisabledForSync", 200, "SendMail", Data::Unknown),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=SendMail&Log=V141_Ms0_", 200, "SendMail", Data::Unknown),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=SmartReply&Log=V141_Ms1_", 200, "SmartReply", Data::Mailbox),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=MoveItems", 200, "MoveItems", Data::Mailbox),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=GetAttachment", 200, "GetAttachment", Data::Mailbox),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=MeetingResponse", 200, "MeetingResponse", Data::Mailbox),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=Search", 200, "Search", Data::Mailbox),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=Find", 200, "Find", Data::Mailbox),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=FolderCreate", 200, "FolderCreate", Data::Mailbox),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=ResolveRecipients", 200, "ResolveRecipients", Data::Directory),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=Ping", 200, "Ping", Data::None),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=FolderSync", 200, "FolderSync", Data::None),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=Provision", 200, "Provision", Data::None),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=Settings", 200, "Settings", Data::None),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=GetItemEstimate", 200, "GetItemEstimate", Data::None),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "jBMHBBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1AHAQI=&cafeReqId=1", 200, "ItemOperations", Data::Mailbox),
    ("OPTIONS", "/Microsoft-Server-ActiveSync/default.eas", "-", 200, "Options", Data::None),
    ("POST", "/Microsoft-Server-ActiveSync/default.eas", "Cmd=Teapot", 200, "Teapot", Data::Unknown),
    ("GET", "/Microsoft-Server-ActiveSync/default.eas", "-", 200, "", Data::Unknown),
    // OWA.
    ("POST", "/owa/service.svc", "action=GetItem&EP=1&ID=-12&AC=1", 200, "GetItem", Data::Mailbox),
    ("POST", "/OWA/Service.svc", "EP=1&ACTION=finditem", 200, "FindItem", Data::Mailbox),
    ("POST", "/owa/service.svc", "action=CreateItem", 200, "CreateItem", Data::Mailbox),
    ("GET", "/owa/service.svc/s/GetFileAttachment", "id=AAMk", 200, "GetFileAttachment", Data::Mailbox),
    ("POST", "/owa/service.svc", "action=FindPeople", 200, "FindPeople", Data::Directory),
    ("POST", "/owa/service.svc", "action=SubscribeToNotification", 200, "SubscribeToNotification", Data::None),
    ("POST", "/owa/service.svc", "action=Teapot", 200, "Teapot", Data::Unknown),
    ("POST", "/owa/service.svc", "action=GetItem", 500, "GetItem", Data::None),
    ("GET", "/owa/ev.owa2", "ns=PendingRequest&ev=PendingNotificationRequest&UA=0", 200, "PendingNotificationRequest", Data::None),
    ("POST", "/owa/ev.owa", "oeh=1&ns=MsgVLV2&ev=LoadFresh", 200, "LoadFresh", Data::Unknown),
    ("GET", "/owa/attachment.ashx", "attach=1&id=RgAA", 200, "attachment.ashx", Data::Mailbox),
    ("GET", "/owa/", "ae=Item&a=Open&t=IPM.Note&id=RgAA", 200, "Item", Data::Mailbox),
    ("GET", "/owa/", "action=GetItem", 200, "GetItem", Data::Unknown),
    ("GET", "/owa/", "&prfltncy=16", 200, "", Data::Unknown),
    ("GET", "/owa/logoff.owa", "-", 200, "logoff.owa", Data::None),
    ("GET", "/owa/keepalive.owa", "-", 200, "keepalive.owa", Data::None),
    ("SEARCH", "/exchange/ada/Inbox", "-", 207, "SEARCH", Data::Mailbox),
    ("POLL", "/exchange/ada/Inbox", "-", 207, "POLL", Data::None),
    ("GET", "/exchange/ada/Inbox/x.EML", "Cmd=open", 200, "GET", Data::Unknown),
    // EWS.
    ("POST", "/EWS/Exchange.asmx", "&CorrelationID=<empty>;&cafeReqId=1;", 200, "Exchange.asmx", Data::Unknown),
    ("POST", "/EWS/Exchange.asmx", "SoapAction=GetUserOofSettingsResponse;MailboxRPCRequests=10;", 200, "GetUserOofSettings", Data::None),
    ("POST", "/EWS/Exchange.asmx", ";SoapAction=m:getitem;Version=Exchange2010_SP1", 200, "GetItem", Data::Mailbox),
    ("POST", "/EWS/Exchange.asmx", "SoapAction=;x", 200, "Exchange.asmx", Data::Unknown),
    ("GET", "/ews/exchange.asmx/s/GetUserPhoto", "email=a@b", 200, "GetUserPhoto", Data::Unknown),
    // The others.
    ("RPC_IN_DATA", "/rpc/rpcproxy.dll", "4f1c@fabrikam.example:6001&cafeReqId=1", 200, "RPC_IN_DATA", Data::Unknown),
    ("POST", "/mapi/emsmdb/", "MailboxId=4f1c@fabrikam.example", 200, "emsmdb", Data::Unknown),
    ("POST", "/mapi/nspi/", "MailboxId=4f1c@fabrikam.example", 200, "nspi", Data::Unknown),
    ("GET", "/OAB/ec72003d/oab.xml", "-", 200, "oab.xml", Data::None),
    ("GET", "/OAB/ec72003d/faf0ba13-data-1748.LZX", "-", 200, "faf0ba13-data-1748.LZX", Data::Directory),
    ("HEAD", "/OAB/ec72003d/faf0ba13-data-1748.lzx", "-", 200, "faf0ba13-data-1748.lzx", Data::None),
    ("POST", "/autodiscover/autodiscover.xml", "-", 200, "autodiscover.xml", Data::None),
    ("POST", "/ecp/DDI/DDIService.svc/SetObject", "schema=x", 200, "SetObject", Data::Unknown),
    ("POST", "/powershell", "PSVersion=5.1", 200, "", Data::Unknown),
    ("GET", "/api/v2.0/me/messages", "-", 200, "messages", Data::Unknown),
    ("GET", "/", "-", 200, "", Data::Unknown),
    ("GET", "", "", 200, "", Data::Unknown),
];

#[test]
fn commands_and_what_they_moved() {
    for &(method, stem, query, sc_status, word, data) in LINES {
        let (method, stem_bytes, query) = (method.as_bytes(), stem.as_bytes(), query.as_bytes());
        let protocol = route(stem_bytes).protocol;
        let shown = BStr::new(query);
        let told = command(protocol, method, stem_bytes, query);
        assert_eq!(told, word, "{stem} {shown}");
        let got = moves_data(protocol, told, method, stem_bytes, query, sc_status);
        assert_eq!(got, data, "{stem} {shown} {sc_status}");
    }
}

#[test]
fn only_what_is_sure_counts() {
    for (data, counts) in [
        (Data::Mailbox, true),
        (Data::Directory, true),
        (Data::None, false),
        (Data::Unknown, false),
    ] {
        assert_eq!(data.moved(), counts, "{data:?}");
    }
}

#[test]
fn clients_are_told_apart() {
    use Protocol::*;
    for (protocol, query, expect) in [
        (Eas, "Cmd=Ping&DeviceId=ApplDN6&DeviceType=iPhone", Some("ApplDN6")),
        (Eas, "Cmd=Ping&DeviceId=A%2FB", Some("A/B")),
        (Eas, "jAkHBBCoHzHhi8b5YrNnTZh4inyaBAAAAAACV1A=", Some("A81F31E18BC6F962B3674D98788A7C9A")),
        (Eas, "Cmd=Ping", None),
        (Eas, "-", None),
        (
            Owa,
            "action=x&CorrelationID=<empty>;&ClientId=02E2643E96734768&cafeReqId=1;",
            Some("02E2643E96734768"),
        ),
        (Owa, "ClientId=mine&ClientId=theirs;&x", Some("theirs")),
        (Ecp, "&ClientId=02E2;", Some("02E2")),
        (Owa, "&ClientId=<empty>;&x", None),
        (Owa, "&ClientId=;", None),
        (Owa, "-", None),
        (Ews, "&ClientId=02E2;", None),
        (Mapi, "MailboxId=4f1c@fabrikam.example", None),
    ] {
        let got = device_id(protocol, query.as_bytes());
        assert_eq!(got.as_deref(), expect.map(str::as_bytes), "{protocol} {query}");
    }
}

#[test]
fn words_of_exchange_are_known() {
    for word in ["Sync", "sync", "GetItem", "ResolveNames", "PROPFIND", "get", "emsmdb", "Options"]
    {
        assert!(is_known_command(word), "{word}");
    }
    for word in ["", "ada", "Syncs", "Exchange.asmx", "FABRIKAM%5Cada"] {
        assert!(!is_known_command(word), "{word}");
    }
}
