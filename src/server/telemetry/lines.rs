//! Lines of the log as JSON objects, one a line, for programs that collect them.

use serde_json::{Map, Value};
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, Layer};
use tracing_subscriber::registry::LookupSpan;

/// `timestamp`, `level`, `target` and `message`; then what the request around it is known by (`request_id`, `trace_id`) and what the line
/// itself says. Whatever is named like an earlier one gives way, so that a line's own fields cannot pass for those.
pub(super) struct JsonLines;

impl JsonLines {
    pub fn layer<S, W>(
        lines: Layer<S, tracing_subscriber::fmt::format::DefaultFields, impl Sized + 'static, W>,
    ) -> Layer<S, JsonFields, Self, W>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
        W: for<'w> tracing_subscriber::fmt::MakeWriter<'w> + 'static,
    {
        lines.fmt_fields(JsonFields::new()).event_format(Self)
    }
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut own = Fields::default();
        event.record(&mut own);
        let mut line = Map::new();
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        line.insert("timestamp".to_owned(), now.into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("target".to_owned(), metadata.target().into());
        let message = own.0.remove("message").unwrap_or_default();
        line.insert("message".to_owned(), message);
        for span in context
            .event_scope()
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            let extensions = span.extensions();
            if let Some(fields) = extensions.get::<FormattedFields<N>>() {
                // They were written by `JsonFields`.
                add(&mut line, serde_json::from_str(fields).unwrap_or_default());
            }
        }
        add(&mut line, own.0);
        writeln!(writer, "{}", Value::Object(line))
    }
}

fn add(line: &mut Map<String, Value>, fields: Map<String, Value>) {
    for (name, value) in fields {
        line.entry(name).or_insert(value);
    }
}

/// What a line says.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0
            .insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(say: impl FnOnce()) -> Vec<Value> {
        let written = Written::default();
        let writer = written.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(JsonLines::layer(layer));
        tracing::subscriber::with_default(subscriber, say);
        let bytes = written.0.lock().expect("no panic").clone();
        let text = String::from_utf8(bytes).expect("text");
        let parsed = text.lines().map(serde_json::from_str);
        parsed.collect::<Result<_, _>>().expect("JSON lines")
    }

    #[test]
    fn a_line_names_the_request_around_it() {
        let lines = lines(|| {
            let request = tracing::error_span!("request", request_id = "r-1");
            let _request = request.enter();
            let _step = tracing::error_span!("step", request_id = "inner", step = 2).entered();
            tracing::warn!(error = %"full", count = 3, "it\nfailed");
        });
        let [line] = lines.as_slice() else {
            panic!("one line: {lines:?}")
        };
        for (name, value) in [
            ("level", Value::from("WARN")),
            ("message", "it\nfailed".into()),
            ("request_id", "r-1".into()),
            ("step", 2.into()),
            ("error", "full".into()),
            ("count", 3.into()),
        ] {
            assert_eq!(line[name], value, "{name} of {line}");
        }
        assert!(
            line["target"]
                .as_str()
                .is_some_and(|target| target.ends_with("lines::tests"))
        );
    }

    #[test]
    fn a_field_cannot_pass_for_the_lines_own() {
        let lines = lines(|| {
            let _request = tracing::error_span!("request", request_id = "r-1").entered();
            tracing::info!(level = "none", request_id = "forged", "said");
        });
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["request_id"], "r-1");
    }
}
