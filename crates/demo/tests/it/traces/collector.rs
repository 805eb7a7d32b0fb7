//! A small receiver of OTLP over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{Span as WireSpan, span::SpanKind, status::StatusCode};
use prost::Message;
use serde_json::{Value, json};

use crate::support::eventually;

/// Takes spans until the test process ends.
pub(super) struct Collector {
    address: SocketAddr,
    spans: Arc<Mutex<Vec<Span>>>,
}

/// What a test wants to know of a span.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) trace: String,
    pub(super) id: String,
    /// Empty of one that has none.
    pub(super) parent: String,
    pub(super) began: u64,
    pub(super) ended: u64,
    pub(super) failed: bool,
    /// Who sent it.
    pub(super) service: String,
    attributes: Vec<(String, Value)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl Collector {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("is bound");
        let spans = Arc::<Mutex<Vec<Span>>>::default();
        let taken = Arc::clone(&spans);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let request = take(stream.expect("a connection"));
                let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
                taken.extend(spans_in(request));
            }
        });
        Self { address, spans }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The span of this name in this trace, once it is there.
    #[track_caller]
    pub(super) fn span(&self, trace: &str, name: &str) -> Span {
        self.find(&format!("{name} in {trace}"), |span| {
            span.trace == trace && span.name == name
        })
    }

    /// The span with this id, once it is there.
    #[track_caller]
    pub(super) fn id(&self, id: &str) -> Span {
        self.find(id, |span| span.id == id)
    }

    /// The spans of this name that are there.
    pub(super) fn named(&self, name: &str) -> Vec<Span> {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        let named = spans.iter().filter(|span| span.name == name);
        named.cloned().collect()
    }

    #[track_caller]
    fn find(&self, what: &str, is_it: impl Fn(&Span) -> bool) -> Span {
        eventually(what, || {
            let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
            spans.iter().find(|span| is_it(span)).cloned()
        })
    }
}

impl Span {
    /// An attribute, or `null`.
    pub(super) fn attribute(&self, name: &str) -> Value {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map_or(Value::Null, |(_, value)| value.clone())
    }
}

/// Reads one request to `/v1/traces`, and answers it.
fn take(stream: TcpStream) -> ExportTraceServiceRequest {
    let mut reader = BufReader::new(&stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).expect("a head"), 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /v1/traces "), "{head}");
    assert!(
        head.contains("content-type: application/x-protobuf"),
        "{head}"
    );
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.expect("a length").trim().parse().expect("a number");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    (&stream).write_all(answer).expect("takes the answer");
    ExportTraceServiceRequest::decode(&*body).expect("spans")
}

fn spans_in(request: ExportTraceServiceRequest) -> Vec<Span> {
    let mut spans = Vec::new();
    for sent in request.resource_spans {
        let resource = sent.resource.unwrap_or_default();
        let named = values(&resource.attributes).into_iter();
        let service = named
            .filter(|(name, _)| name == "service.name")
            .find_map(|(_, value)| value.as_str().map(str::to_owned))
            .expect("a service has a name");
        let scopes = sent.scope_spans.into_iter();
        spans.extend(
            scopes
                .flat_map(|scope| scope.spans)
                .map(|span| Span::of(span, &service)),
        );
    }
    spans
}

impl Span {
    fn of(span: WireSpan, service: &str) -> Self {
        let kind = match span.kind() {
            SpanKind::Server => Kind::Server,
            SpanKind::Client => Kind::Client,
            SpanKind::Producer => Kind::Producer,
            SpanKind::Consumer => Kind::Consumer,
            SpanKind::Internal | SpanKind::Unspecified => Kind::Internal,
        };
        Self {
            kind,
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            began: span.start_time_unix_nano,
            ended: span.end_time_unix_nano,
            failed: span
                .status
                .is_some_and(|status| status.code() == StatusCode::Error),
            service: service.to_owned(),
            attributes: values(&span.attributes),
            name: span.name,
        }
    }
}

fn values(attributes: &[KeyValue]) -> Vec<(String, Value)> {
    let value = |pair: &KeyValue| match pair.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(json!(text)),
        any_value::Value::IntValue(number) => Some(json!(number)),
        any_value::Value::BoolValue(truth) => Some(json!(truth)),
        any_value::Value::DoubleValue(number) => Some(json!(number)),
        _ => None,
    };
    let pairs = attributes.iter();
    pairs
        .filter_map(|pair| Some((pair.key.clone(), value(pair)?)))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
