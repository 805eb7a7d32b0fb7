//! Whether there are traces, and where they go.

use std::env;

/// Where spans are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Traces {
    /// Where OpenTelemetry's variables say, `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`; nowhere if they
    /// say nothing.
    #[default]
    Environment,
    /// Nowhere.
    Off,
    /// To the collector with this base URL, such as `http://127.0.0.1:4318`; all else is as the variables say.
    To(String),
}

/// What a collector is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// `None` leaves it to the variables.
    pub(super) endpoint: Option<String>,
    /// Its host and port, for the log.
    pub(super) place: String,
}

/// Why there are no traces although they were asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{variable} is {protocol:?}; Siding sends traces by http/protobuf only, which collectors take on port 4318"
)]
pub(super) struct OtherProtocol {
    variable: &'static str,
    protocol: String,
}

impl Traces {
    /// Where spans go; `None` is nowhere.
    pub(super) fn target(&self) -> Result<Option<Target>, OtherProtocol> {
        self.target_in(&|name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn target_in(
        &self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Target>, OtherProtocol> {
        let is =
            |name, word: &str| variable(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
        let (endpoint, place) = match self {
            Self::Off => return Ok(None),
            Self::To(base) => {
                let endpoint = format!("{}/v1/traces", base.trim_end_matches('/'));
                (Some(endpoint), place(base))
            }
            Self::Environment => {
                let named = [
                    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                ]
                .into_iter()
                .find_map(variable);
                match named {
                    Some(url) if !is("OTEL_TRACES_EXPORTER", "none") => (None, place(&url)),
                    Some(_) | None => return Ok(None),
                }
            }
        };
        if is("OTEL_SDK_DISABLED", "true") {
            return Ok(None);
        }
        for name in [
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ] {
            match variable(name) {
                None => continue,
                Some(protocol) if protocol == "http/protobuf" => break,
                Some(protocol) => {
                    return Err(OtherProtocol {
                        variable: name,
                        protocol,
                    });
                }
            }
        }
        Ok(Some(Target { endpoint, place }))
    }
}

/// Host and port of a URL, which may have a password before them.
fn place(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    place.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(
        traces: &Traces,
        variables: &[(&str, &str)],
    ) -> Result<Option<Target>, OtherProtocol> {
        traces.target_in(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        })
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");

    #[test]
    fn the_environment_turns_traces_on_and_off() {
        let on = Ok(Some(Target {
            endpoint: None,
            place: "127.0.0.1:4318".to_owned(),
        }));
        let environment = Traces::Environment;
        assert_eq!(target(&environment, &[]), Ok(None));
        assert_eq!(target(&environment, &[ENDPOINT]), on);
        for off in [
            ("OTEL_SDK_DISABLED", "true"),
            ("OTEL_SDK_DISABLED", "TRUE"),
            ("OTEL_TRACES_EXPORTER", "none"),
        ] {
            assert_eq!(target(&environment, &[ENDPOINT, off]), Ok(None));
        }
        assert_eq!(
            target(&environment, &[ENDPOINT, ("OTEL_SDK_DISABLED", "false")]),
            on
        );
    }

    #[test]
    fn the_application_goes_over_the_environment_but_for_the_switch_of_all_of_opentelemetry() {
        assert_eq!(target(&Traces::Off, &[ENDPOINT]), Ok(None));
        let to = Traces::To("http://user:hush@collector:4318/".to_owned());
        let expected = Target {
            endpoint: Some("http://user:hush@collector:4318/v1/traces".to_owned()),
            place: "collector:4318".to_owned(),
        };
        assert_eq!(target(&to, &[]), Ok(Some(expected)));
        assert_eq!(target(&to, &[("OTEL_SDK_DISABLED", "true")]), Ok(None));
    }

    #[test]
    fn another_protocol_is_refused_by_name() {
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        let error = target(&Traces::Environment, &[ENDPOINT, grpc]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("OTEL_EXPORTER_OTLP_PROTOCOL is \"grpc\"")
        );
        // The variable of traces alone goes over the one of all signals.
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf");
        assert!(target(&Traces::Environment, &[ENDPOINT, grpc, traces]).is_ok());
    }
}
