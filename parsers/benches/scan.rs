//! How fast a log is taken apart, on one core: `cargo bench -p stillin-parsers`.
//!
//! Throughput is of bytes of log. The portable loop is what a processor without AVX2 runs.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use stillin_parsers::exchange_log;
use stillin_parsers::vectors::Separators;
use stillin_parsers::w3c::{self, Column, State};

fn main() {
    divan::main();
}

/// A few MiB in the default columns of IIS 10, some 320 bytes a line, as Exchange fills them.
fn log() -> Vec<u8> {
    let mut log = b"#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n\
        #Date: 2026-03-02 08:00:00\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username \
        c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\r\n"
        .to_vec();
    let mut random = 1u64;
    for n in 0..16_000u64 {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (user, second) = (random >> 52, n / 40);
        let line = format!(
            "2026-03-02 08:{:02}:{:02} 10.0.0.11 POST /Microsoft-Server-ActiveSync/default.eas \
             Cmd=Ping&User=FABRIKAM%5Cuser{user}&DeviceId=Appl{random:016X}&DeviceType=iPhone\
             &Log=PrxTo:ex01.fabrikam.example_LdapC1_Cpo3412_Fet500021_ 443 FABRIKAM\\user{user} 203.0.113.{} \
             Apple-iPhone14C5/2104.5033 - 200 0 0 {}\r\n",
            second / 60,
            second % 60,
            user % 250,
            random >> 46,
        );
        log.extend_from_slice(line.as_bytes());
    }
    log
}

/// A few MiB of HttpProxy, 74 columns and some 1,100 bytes a row, as Exchange 2016 and later fill them.
fn proxy_log() -> Vec<u8> {
    let head = "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,ClientRequestId,Protocol,\
        UrlHost,UrlStem,ProtocolAction,AuthenticationType,IsAuthenticated,AuthenticatedUser,Organization,AnchorMailbox,\
        UserAgent,ClientIpAddress,ServerHostName,HttpStatus,BackEndStatus,ErrorCode,Method,ProxyAction,TargetServer,\
        TargetServerVersion,RoutingType,RoutingHint,BackEndCookie,ServerLocatorHost,ServerLocatorLatency,RequestBytes,\
        ResponseBytes,TargetOutstandingRequests,AuthModulePerfContext,HttpPipelineLatency,\
        CalculateTargetBackEndLatency,GlsLatencyBreakup,TotalGlsLatency,AccountForestLatencyBreakup,\
        TotalAccountForestLatency,ResourceForestLatencyBreakup,TotalResourceForestLatency,ADLatency,\
        SharedCacheLatencyBreakup,TotalSharedCacheLatency,ActivityContextLifeTime,ModuleToHandlerSwitchingLatency,\
        ClientReqStreamLatency,BackendReqInitLatency,BackendReqStreamLatency,BackendProcessingLatency,\
        BackendRespInitLatency,BackendRespStreamLatency,ClientRespStreamLatency,KerberosAuthHeaderLatency,\
        HandlerCompletionLatency,RequestHandlerLatency,HandlerToModuleSwitchingLatency,ProxyTime,CoreLatency,\
        RoutingLatency,HttpProxyOverhead,TotalRequestTime,RouteRefresherLatency,UrlQuery,BackEndGenericInfo,\
        GenericInfo,GenericErrors,EdgeTraceId,DatabaseGuid,UserADObjectGuid,PartitionEndpointLookupLatency,\
        RoutingStatus\r\n";
    let mut log = format!("#Log-type: HttpProxy Logs\r\n#Fields: {head}{head}").into_bytes();
    let mut random = 1u64;
    for n in 0..5_000u64 {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (user, time) = (
            random >> 52,
            format!("2026-03-02T08:{:02}:{:02}.{:03}Z", n / 3000, n / 50 % 60, n % 1000),
        );
        let (high, low) = (random >> 32, random & 0xffff_ffff_ffff);
        let line = format!(
            "{time},{high:08x}-01f1-4067-9002-{low:012x},15,2,1544,4,,Eas,mail.fabrikam.example,\
             /Microsoft-Server-ActiveSync/default.eas,,Basic,true,FABRIKAM\\user{user},,\
             Sid~S-1-5-21-1004336348-1177238915-682003330-{user},Apple-iPhone14C5/2104.5033,203.0.113.{},EX01,200,200,,\
             POST,Proxy,ex01.fabrikam.example,15.02.1544.000,IntraForest,WindowsIdentity,\
             Database~fb7adba2-51f4-47e3-b170-fd39f85aaf35~~2026-04-01T08:00:00~fabrikam.example~1,,,13,5278,,,30,7,,0,\
             2;,2,,0,2,,0,19068,1,0,0,0,19027,0,0,1,0,0,19037,0,19028,10,10,40,19068,,\
             ?Cmd=Ping&User=FABRIKAM%5Cuser{user}&DeviceId=Appl{random:016X}&DeviceType=iPhone,,\
             BeginRequest={time};CorrelationID=<empty>;ProxyState-Run=None;FEAuth=BEVersion-1942063431;\
             NewConnection=fe80::1234:5678:62ef:245e%3&0;BeginGetResponse={time};OnResponseReady={time};\
             EndGetResponse={time};ProxyState-Complete=ProxyResponseData;SharedCacheGuard=0;EndRequest={time};\
             I32:ATE.C[dc1.fabrikam.example]=2;F:ATE.AL[dc1.fabrikam.example]=0.5;I32:ADS.C[dc1]=2;F:ADS.AL[dc1]=1.7,,,\
             |RoutingDB:fb7adba2-51f4-47e3-b170-fd39f85aaf35,,,CafeV1\r\n",
            user % 250,
        );
        log.extend_from_slice(line.as_bytes());
    }
    log
}

/// In pieces that fit the first-level cache, as a scan does it.
const WINDOW: usize = 32 << 10;

#[divan::bench]
fn separators(bencher: Bencher<'_, '_>) {
    let log = log();
    let mut separators = Separators::default();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        log.chunks(WINDOW).for_each(|window| separators.find(black_box(window)));
    });
}

#[divan::bench]
fn separators_without_avx2(bencher: Bencher<'_, '_>) {
    let log = log();
    let mut separators = Separators::default();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        log.chunks(WINDOW).for_each(|window| separators.find_portable(black_box(window)));
    });
}

/// Every line with its time, name and status found and looked at.
#[divan::bench]
fn lines(bencher: Bencher<'_, '_>) {
    let log = log();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        let mut sum = 0;
        w3c::scan(black_box(&log), &State::default(), |name, line| {
            sum += name.len() + line.sc_status().len() + line.seconds as usize;
        });
        sum
    });
}

/// The same, with address and user agent of every line.
#[divan::bench]
fn lines_with_address_and_agent(bencher: Bencher<'_, '_>) {
    let log = log();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        let mut sum = 0;
        w3c::scan(black_box(&log), &State::default(), |_, line| {
            sum += line.address_and_agent().map_or(0, <[u8]>::len);
        });
        sum
    });
}

/// Commas of HttpProxy, which stand closer together than blanks of W3C.
#[divan::bench]
fn proxy_separators(bencher: Bencher<'_, '_>) {
    let log = proxy_log();
    let mut separators = Separators::default();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        log.chunks(WINDOW).for_each(|window| separators.find_commas(black_box(window)));
    });
}

/// Every row of HttpProxy with its time, name and status found and looked at.
#[divan::bench]
fn proxy_rows(bencher: Bencher<'_, '_>) {
    use exchange_log::Column::{AuthenticatedUser, HttpStatus};
    let log = proxy_log();
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        let mut sum = 0;
        exchange_log::scan(black_box(&log), &exchange_log::State::default(), |row| {
            sum += row.text(AuthenticatedUser).len() + row.text(HttpStatus).len();
            sum += row.seconds as usize + row.nanos as usize;
        });
        sum
    });
}

/// Every column of every line, one by one: what a watched line costs and others do not.
#[divan::bench]
fn every_value(bencher: Bencher<'_, '_>) {
    let log = log();
    let columns = [
        Column::SIp,
        Column::CsMethod,
        Column::CsUriStem,
        Column::CsUriQuery,
        Column::SPort,
        Column::CsUsername,
        Column::CIp,
        Column::CsUserAgent,
        Column::ScStatus,
        Column::ScSubstatus,
        Column::ScWin32Status,
        Column::TimeTaken,
    ];
    bencher.counter(BytesCount::of_slice(&log)).bench_local(|| {
        let mut sum = 0;
        w3c::scan(black_box(&log), &State::default(), |_, line| {
            sum += columns
                .iter()
                .filter_map(|&column| line.value(column))
                .map(<[u8]>::len)
                .sum::<usize>();
        });
        sum
    });
}
